/**
 * Markdown for Slack's incoming webhooks: the only way in which they get text.
 *
 * Slack takes what stands between `<` and `>` for a link, a mention or a date, and nothing else in a text that is not
 * parsed further; of HTML it knows these three entities only (docs.slack.dev, "Formatting message text").
 *
 * @module
 */

export function slackText(markdown: string): string {
  return markdown.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
