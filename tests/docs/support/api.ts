/**
 * The page about the API, written from the sources' types and docstrings.
 *
 * @module
 */
import { join, relative } from 'node:path';
import prettier from 'prettier';
import ts from 'typescript';
import { ROOT } from '../../support/runner.ts';
import { MODULES } from './pages.ts';

/** Modules with something to call; the others are named in a config and have no API. */
const DOCUMENTED = ['vmwright', 'vmwright/matrix', 'vmwright/routines', 'vmwright/lab'] as const;
const INTRODUCTION = `# API

What each entry point of the package offers, written from the docstrings by \`npm run docs:api\`. Times are in milliseconds and positions in pixels of the screen where nothing else is said. Words in capitals after "throws" are [error codes](troubleshooting.md).`;

/** The whole page, formatted as the repository's other files. */
export async function apiPage(): Promise<string> {
  const config = ts.readConfigFile(join(ROOT, 'tsconfig.json'), (path) => ts.sys.readFile(path));
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, ROOT);
  const entries = DOCUMENTED.map((name) => join(ROOT, MODULES[name] ?? ''));
  const program = ts.createProgram(entries, options);
  const page = new Page(program.getTypeChecker());
  const modules = DOCUMENTED.map((name, index) =>
    page.module(name, program.getSourceFile(entries[index] ?? '')),
  );
  const others = Object.keys(MODULES).filter((name) => !(DOCUMENTED as readonly string[]).includes(name));
  const text = [
    INTRODUCTION,
    ...modules,
    `## For configs\n\nReporters and set-ups that a Playwright config names: ${others.map((name) => `\`${name}\``).join(', ')}. \`vmwright init\` writes a config with those that each run needs, in their order.`,
    page.remaining(),
  ].join('\n\n');
  const path = join(ROOT, 'docs/api.md');
  return prettier.format(text, { ...(await prettier.resolveConfig(path)), filepath: path });
}

class Page {
  readonly #checker: ts.TypeChecker;
  readonly #done = new Set<ts.Symbol>();
  readonly #mentioned: ts.Symbol[] = [];

  constructor(checker: ts.TypeChecker) {
    this.#checker = checker;
  }

  module(name: string, source: ts.SourceFile | undefined): string {
    const symbol = source === undefined ? undefined : this.#checker.getSymbolAtLocation(source);
    if (symbol === undefined) throw new Error(`${name} has no source`);
    const all = this.#checker.getExportsOfModule(symbol).map((exported) => this.#resolved(exported));
    const own = all
      .filter((one) => !this.#done.has(one))
      .sort((a, b) => order(a) - order(b) || compare(a, b));
    const again = all.filter((one) => this.#done.has(one)).sort(compare);
    for (const one of own) this.#done.add(one);
    return [
      `## \`${name}\``,
      ...(again.length === 0 ? [] : [`Also here, and described above: ${again.map(linkTo).join(', ')}.`]),
      ...own.map((one) => this.#entry(one)),
    ].join('\n\n');
  }

  /** What the signatures so far mention, and what that mentions. */
  remaining(): string {
    const parts: string[] = [];
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      this.#done.add(next);
      parts.push(this.#entry(next));
    }
    return ['## Types that these use', ...parts].join('\n\n');
  }

  #next(): ts.Symbol | undefined {
    return this.#mentioned.filter((symbol) => !this.#done.has(symbol)).sort(compare)[0];
  }

  #entry(symbol: ts.Symbol): string {
    const declaration = symbol.declarations?.[0];
    if (declaration === undefined) throw new Error(`${symbol.name} is declared nowhere`);
    return [`### ${symbol.name}`, ...this.#doc(symbol), ...this.#body(symbol, declaration)].join('\n\n');
  }

  #body(symbol: ts.Symbol, declaration: ts.Declaration): string[] {
    if (ts.isFunctionDeclaration(declaration)) return [code(this.#signature(declaration))];
    if (ts.isClassDeclaration(declaration) || ts.isInterfaceDeclaration(declaration)) {
      const heritage = (declaration.heritageClauses ?? []).map((clause) => oneLine(clause.getText()));
      this.#mention(...(declaration.heritageClauses ?? []));
      return [
        ...(heritage.length === 0 ? [] : [`\`${heritage.join(' ')}\``]),
        this.#members([...declaration.members]),
      ];
    }
    if (ts.isTypeAliasDeclaration(declaration)) return this.#alias(declaration);
    if (ts.isVariableDeclaration(declaration)) return this.#constant(declaration);
    throw new Error(`${symbol.name}: nobody knows how to describe a ${ts.SyntaxKind[declaration.kind]}`);
  }

  #alias(declaration: ts.TypeAliasDeclaration): string[] {
    if (ts.isTypeLiteralNode(declaration.type)) return [this.#members([...declaration.type.members])];
    if (!/\bz\.(?:input|output)</.test(declaration.type.getText())) {
      this.#mention(declaration.type);
      return [code(oneLine(declaration.getText().replace(/^export /, '')))];
    }
    return [this.#properties(this.#checker.getTypeAtLocation(declaration), declaration)];
  }

  #constant(declaration: ts.VariableDeclaration): string[] {
    const { initializer } = declaration;
    if (initializer !== undefined && ts.isCallExpression(initializer)) {
      const [argument] = initializer.arguments;
      const isExtension = /^base\.extend$/.test(initializer.expression.getText());
      const methods =
        argument !== undefined && ts.isObjectLiteralExpression(argument)
          ? argument.properties.filter(ts.isMethodDeclaration)
          : [];
      if (isExtension && methods.length > 0) return [this.#members(methods)];
      if (isExtension) return ['Its fixtures are those of TestFixtures and WorkerFixtures.'];
      if (initializer.expression.getText() === 'defineRoutine' && argument !== undefined) {
        const inputs = ts.isObjectLiteralExpression(argument)
          ? argument.properties.find((property) => property.name?.getText() === 'inputs')
          : undefined;
        return ['A routine.', ...(inputs === undefined ? [] : [code(oneLine(inputs.getText()))])];
      }
    }
    const value =
      initializer !== undefined && ts.isAsExpression(initializer) ? initializer.expression : initializer;
    const object = value !== undefined && ts.isSatisfiesExpression(value) ? value.expression : value;
    const plain = object !== undefined && ts.isAsExpression(object) ? object.expression : object;
    if (plain !== undefined && ts.isObjectLiteralExpression(plain)) {
      return [
        plain.properties
          .map((property) => {
            const symbol = this.#checker.getSymbolAtLocation(property.name ?? property);
            const text = symbol === undefined ? '' : this.#doc(symbol).join(' ');
            return `- \`${property.name?.getText() ?? ''}\`${text === '' ? '' : `: ${text}`}`;
          })
          .join('\n'),
      ];
    }
    return [
      code(
        `const ${declaration.name.getText()}: ${this.#checker.typeToString(this.#checker.getTypeAtLocation(declaration))}`,
      ),
    ];
  }

  #members(members: readonly (ts.ClassElement | ts.TypeElement | ts.ObjectLiteralElementLike)[]): string {
    return members
      .filter((member) => !isPrivate(member) && !ts.isConstructorDeclaration(member))
      .filter((member) => member.name === undefined || !ts.isComputedPropertyName(member.name))
      .map((member) => this.#member(member))
      .join('\n');
  }

  #member(member: ts.ClassElement | ts.TypeElement | ts.ObjectLiteralElementLike): string {
    const symbol = member.name === undefined ? undefined : this.#checker.getSymbolAtLocation(member.name);
    const text = symbol === undefined ? docOf(member) : this.#doc(symbol).join(' ');
    return `- \`${this.#signature(member)}\`${text === '' ? '' : `: ${text.replaceAll('\n', ' ')}`}`;
  }

  #properties(type: ts.Type, at: ts.Node): string {
    return type
      .getProperties()
      .map((property) => {
        const isOptional = (property.flags & ts.SymbolFlags.Optional) !== 0;
        const own = this.#checker.getTypeOfSymbolAtLocation(property, at);
        const shown = this.#checker
          .typeToString(own, undefined, ts.TypeFormatFlags.NoTruncation)
          .replace(/ \| undefined$/, '');
        const text = this.#doc(property).join(' ').replaceAll('\n', ' ');
        return `- \`${property.name}${isOptional ? '?' : ''}: ${shown}\`${text === '' ? '' : `: ${text}`}`;
      })
      .join('\n');
  }

  /** As it is written, without its body, its modifiers and, in a matcher, what only Playwright hands over. */
  #signature(node: ts.Node): string {
    const isCallable =
      ts.isFunctionDeclaration(node) || ts.isMethodDeclaration(node) || ts.isGetAccessorDeclaration(node);
    const source = node.getSourceFile();
    const end = isCallable && node.body !== undefined ? node.body.getStart(source) : node.end;
    this.#mention(
      ...(isCallable ? [...node.parameters, ...(node.type === undefined ? [] : [node.type])] : [node]),
    );
    const text = oneLine(withoutComments(source.text.slice(node.getStart(source), end)))
      .replace(/[;,]$/, '')
      .replace(/^static async /, 'static ')
      .replace(/^(?:(?:export|async|readonly|override|declare) )+/, '')
      .replace(/^get (\w+)\(\)/, '$1')
      .replace(/^function /, '')
      .replace(/\(\s*this: MatcherContext,\s*\w+: \w+,?\s*/, '(')
      .replace(/: Promise<MatcherResult>$/, ': Promise<void>')
      .replaceAll(/\( /g, '(')
      .replaceAll(/,? \)/g, ')')
      .replaceAll(/,\)/g, ')');
    if (!isCallable || node.type !== undefined) return text;
    const signature = this.#checker.getSignatureFromDeclaration(node);
    const type = signature === undefined ? '' : this.#checker.typeToString(signature.getReturnType());
    return `${text}: ${type}`;
  }

  #doc(symbol: ts.Symbol): string[] {
    const text = ts.displayPartsToString(symbol.getDocumentationComment(this.#checker));
    const tags = symbol.getJsDocTags(this.#checker).map(({ name, text: parts }) => {
      const words = ts.displayPartsToString(parts).replace(/^- /, '');
      return name === 'param'
        ? words.replace(/^(\S+)\s+(?:- )?/, '`$1`: ')
        : `${name[0]?.toUpperCase() ?? ''}${name.slice(1)}: ${words}`;
    });
    const all = [text, ...tags.filter((tag) => !tag.startsWith('Module'))].map(cleaned);
    return all.filter((part) => part !== '');
  }

  /** Remembers the types of this repository that a node names. */
  #mention(...nodes: readonly ts.Node[]): void {
    const visit = (node: ts.Node): void => {
      if (
        ts.isIdentifier(node) &&
        (ts.isTypeReferenceNode(node.parent) || ts.isExpressionWithTypeArguments(node.parent))
      ) {
        const symbol = this.#checker.getSymbolAtLocation(node);
        const resolved = symbol === undefined ? undefined : this.#resolved(symbol);
        if (resolved !== undefined && isOurs(resolved)) this.#mentioned.push(resolved);
      }
      if (!ts.isBlock(node)) ts.forEachChild(node, visit);
    };
    for (const node of nodes) visit(node);
  }

  #resolved(symbol: ts.Symbol): ts.Symbol {
    return (symbol.flags & ts.SymbolFlags.Alias) === 0 ? symbol : this.#checker.getAliasedSymbol(symbol);
  }
}

/** What is called first, then classes, then types. */
function order({ flags }: ts.Symbol): number {
  if ((flags & ts.SymbolFlags.Class) !== 0) return 1;
  return (flags & ts.SymbolFlags.Value) === 0 ? 2 : 0;
}

function compare(a: ts.Symbol, b: ts.Symbol): number {
  return a.name < b.name ? -1 : 1;
}

function linkTo({ name }: ts.Symbol): string {
  return `[${name}](#${name.toLowerCase()})`;
}

/** A type of fixtures or routines with a name of its own: what lies behind the lab is the lab's. */
function isOurs({ declarations = [] }: ts.Symbol): boolean {
  return declarations.some(
    (declaration) =>
      (ts.isInterfaceDeclaration(declaration) ||
        ts.isClassDeclaration(declaration) ||
        ts.isTypeAliasDeclaration(declaration)) &&
      /^(?:fixtures|routines)\//.test(relative(ROOT, declaration.getSourceFile().fileName)) &&
      !INTERNAL.has(declaration.name?.text ?? ''),
  );
}

/** Playwright's side of matchers and the inside of fixtures: nothing that a specification names. */
const INTERNAL = new Set(['MatcherContext', 'MatcherResult']);

function isPrivate(member: ts.Node): boolean {
  const named = member as ts.NamedDeclaration;
  if (named.name !== undefined && ts.isPrivateIdentifier(named.name)) return true;
  return (ts.getCombinedModifierFlags(named) & ts.ModifierFlags.Private) !== 0;
}

function docOf(node: ts.Node): string {
  return cleaned(
    ts
      .getJSDocCommentsAndTags(node)
      .map((doc) => ts.getTextOfJSDocComment(doc.comment) ?? '')
      .join(' '),
  );
}

/** Without the numbers of requirements and rules, which are for the authors. */
function cleaned(text: string): string {
  return text
    .replaceAll(/\{@link (\S+?)\}/g, '`$1`')
    .replaceAll(/\s\((?:(?:requirements?|rules?) )?(?:(?:P-)?[A-Z]?\d+(?:, | and | to )?)+\)/g, '')
    .trim();
}

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[^]*?\*\//g, '');
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}

function code(text: string): string {
  return `\`\`\`ts\n${text}\n\`\`\``;
}
