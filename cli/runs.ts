/**
 * The commands about runs: `plan`, `run`, `status`, `post`, `replay`, `allure`.
 *
 * @module
 */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { tell, tellJson } from '../fixtures/secrets/index.ts';
import type { PlanOptions } from './plan.ts';
import type { PostCommandOptions } from './post.ts';
import { collected } from './repeats.ts';
import type { ReplayOptions } from './replay.ts';
import type { RunOptions } from './run.ts';
import type { StatusOptions } from './status.ts';

const list = (text: string): string[] => text.split(',').filter((word) => word !== '');

function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && Number.isFinite(value)) return value;
  throw new InvalidArgumentError(`"${text}" is no number of seconds`);
}

const format = (): Option =>
  new Option('--format <format>', 'how it is printed').choices(['text', 'markdown', 'json']).default('text');

export function addRuns(program: Command): void {
  planned(program.command('plan').description('print what a run would do, and the approval it needs'))
    .option('--json', 'as JSON; with --all also the jobs of a CI matrix: a machine and its shard each')
    .action(async (options: PlanOptions & { readonly json?: boolean }) => {
      const { makePlan, planText } = await import('./plan.ts');
      const { planJson } = await import('./plan-json.ts');
      const plan = await makePlan(options);
      const isWhole = options.all === true && options.exclude === undefined;
      if (options.json === true) tellJson(process.stdout, planJson(plan, isWhole));
      else tell(process.stdout, planText(plan));
    });
  planned(program.command('run').description('run an approved plan, watch it, and post its result'))
    .option('--approve <token>', 'the approval that `plan` printed')
    .option('--no-watch', 'neither watch the runner nor post')
    .option(
      '--no-wait',
      'a machine that another run holds fails its tests at once, instead of being waited for',
    )
    .option('--grace <seconds>', 'how long a runner may live on after its last result', seconds, 120)
    .option('--state <folder>', 'where runs are stored', 'test-results/state')
    .action(async (options: RunOptions) => {
      const { run } = await import('./run.ts');
      process.exitCode = await run(options, ['vmwright', ...process.argv.slice(2)]);
    });
  program
    .command('status')
    .description('show the live run, else the latest one')
    .option('--watch', 'stay, and redraw until the run is over')
    .option('--build <name>', 'the run of this name')
    .option('--hung-after <seconds>', 'a runner without an event for so long is hung', seconds)
    .option('--state <folder>', 'where runs are stored', 'test-results/state')
    .addOption(format())
    .action(async (options: StatusOptions) => {
      const { status } = await import('./status.ts');
      process.exitCode = await status(options);
    });
  program
    .command('post')
    .description("post a complete run's summary to the chat, once")
    .option('--build <name>', 'the run of this name; of a run in groups <name>/groups/<group>')
    .option('--correction <why>', 'replace the post: says what was wrong with it')
    .option('--not-there', 'an earlier attempt died, and its post is not in the channel')
    .option('--approve <token>', 'the approval for this post')
    .option('--state <folder>', 'where runs are stored', 'test-results/state')
    .action(async (options: PostCommandOptions) => {
      const { post } = await import('./post.ts');
      await post(options);
    });
  program
    .command('replay')
    .description(
      'show a stored run, or a folder of artefacts, by the code of today; posts and writes nothing',
    )
    .argument('<folder>')
    .option('--plan <folder>', 'folder with the run.json whose machines are the scope')
    .option('--compare <file>', 'list the differences to a summary.json')
    .addOption(format())
    .action(async (folder: string, options: ReplayOptions) => {
      const { replay } = await import('./replay.ts');
      process.exitCode = replay(folder, options);
    });
  program
    .command('allure')
    .description('make the Allure report: one page that loads nothing from elsewhere')
    .argument(
      '[results...]',
      'folders of results, several for a run in parts; default: where the reporter writes',
      [],
    )
    .option('--output <folder>', 'where the report goes', 'test-results/allure-report')
    .action(async (results: string[], { output }: { readonly output: string }) => {
      const { allure } = await import('./allure.ts');
      process.exitCode = await allure(results, output);
    });
}

function planned(command: Command): Command {
  return command
    .option('--matrix <file>', 'file with the machines and suites', 'vm-matrix.ts')
    .option('--suite <name>', 'suite of the matrix file; default its first')
    .option('--vms <names>', 'exactly these machines, with commas between', list)
    .option('--grep-vm <expression>', 'machines whose name matches')
    .option('--all', 'all machines')
    .option('--randomize <n>', 'so many machines by chance', Number)
    .option('--exclude <names>', 'without these machines', list)
    .option('--allow-blacklisted', 'run a blacklisted machine that --vms names')
    .option('--categorize', 'one family after another, each a run of its own')
    .option('--build-name <name>', 'name of the run')
    .option('--option <name=value>', 'option of the suite; no-<name> takes a default away', collected)
    .option('--confirm-risk <id>', 'confirm a warning of the plan', collected);
}
