/** A name as one word that npm takes for a package and Playwright for a project; empty when nothing of it is left. */
export function oneWord(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .replaceAll(/^[._-]+|-+$/g, '');
}
