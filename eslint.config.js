import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['node_modules', 'dist', 'templates', 'test-results', '.lab', 'tests/**/recordings'] },
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: { parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
      '@typescript-eslint/no-invalid-void-type': 'off',
      'no-console': 'error',
    },
  },
  {
    // One way into a terminal: fixtures/secrets/tell.ts. The lab is no part of what users see of a guest.
    files: ['cli/**/*.ts', 'fixtures/**/*.ts', 'reporters/**/*.ts', 'runs/**/*.ts'],
    ignores: ['fixtures/secrets/tell.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector:
            "CallExpression[callee.property.name='write']:matches([callee.object.name=/^(stdout|stderr|output|terminal)$/], [callee.object.property.name=/^(stdout|stderr|output)$/])",
          message: 'Text gets into a terminal by tell, tellJson or tellRendered (fixtures/secrets/tell.ts).',
        },
      ],
    },
  },
  { files: ['**/*.js', '**/*.cjs', '**/*.mjs'], ...tseslint.configs.disableTypeChecked },
  {
    files: ['tests/**/*.ts'],
    rules: { '@typescript-eslint/no-non-null-assertion': 'off', 'no-empty-pattern': 'off' },
  },
  { files: ['bench/**/*.ts'], rules: { 'no-console': 'off' } },
);
