/** The package is optional: where it is not installed the sources are checked all the same, and it is `any`. */
declare module '@modelcontextprotocol/sdk/*';
