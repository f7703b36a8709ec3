import { expect, test } from '@playwright/test';
import { ciAttempt, ciCommit, ciRunId, runUrl } from '../../fixtures/config/ci.ts';
import { identify } from '../../fixtures/lease/identity.ts';
import { runId } from '../../runs/run-facts.ts';
import { hostOf } from '../lease/support/lease.ts';

/** The variables of each system as its documentation shows them, and what they say. */
const SYSTEMS = [
  {
    env: {
      CI: 'true',
      GITHUB_ACTIONS: 'true',
      GITHUB_RUN_ID: '1658821493',
      GITHUB_RUN_NUMBER: '3',
      GITHUB_RUN_ATTEMPT: '3',
      GITHUB_SERVER_URL: 'https://github.com',
      GITHUB_REPOSITORY: 'octocat/Hello-World',
      GITHUB_SHA: 'ffac537e6cbbf934b08745a378932722df287a53',
    },
    run: 'github-1658821493',
    attempt: 3,
    url: 'https://github.com/octocat/Hello-World/actions/runs/1658821493',
    commit: 'ffac537e6cbbf934b08745a378932722df287a53',
  },
  {
    env: {
      CI: 'true',
      GITLAB_CI: 'true',
      CI_PIPELINE_ID: '77',
      CI_JOB_ID: '50',
      CI_PIPELINE_URL: 'https://gitlab.example.test/g/p/-/pipelines/77',
      CI_JOB_URL: 'https://gitlab.example.test/g/p/-/jobs/50',
      CI_COMMIT_SHA: '1ecfd275763eff1d6b4844ea3168962458c9f27a',
    },
    run: 'gitlab-77',
    attempt: 1,
    url: 'https://gitlab.example.test/g/p/-/jobs/50',
    commit: '1ecfd275763eff1d6b4844ea3168962458c9f27a',
  },
  {
    env: {
      JENKINS_URL: 'https://ci.example.test/',
      BUILD_ID: '7',
      BUILD_NUMBER: '7',
      BUILD_TAG: 'jenkins-smoke-7',
      BUILD_URL: 'https://ci.example.test/job/smoke/7/',
      GIT_COMMIT: 'abc',
    },
    run: 'jenkins-jenkins-smoke-7',
    attempt: 1,
    url: 'https://ci.example.test/job/smoke/7/',
    commit: 'abc',
  },
  {
    env: {
      BUILDKITE: 'true',
      BUILDKITE_BUILD_ID: '4735ba57-80d0-46e2-8fa0-b28223a86586',
      BUILDKITE_BUILD_URL: 'https://buildkite.com/acme-inc/my-project/builds/1514',
      BUILDKITE_RETRY_COUNT: '1',
      BUILDKITE_COMMIT: '83a20ec058e2fb00e7fa4558c4c6e81e2dcf253d',
    },
    run: 'buildkite-4735ba57-80d0-46e2-8fa0-b28223a86586',
    attempt: 2,
    url: 'https://buildkite.com/acme-inc/my-project/builds/1514',
    commit: '83a20ec058e2fb00e7fa4558c4c6e81e2dcf253d',
  },
  {
    env: {
      TF_BUILD: 'True',
      BUILD_BUILDID: '12',
      BUILD_BUILDNUMBER: '20261129.1',
      BUILD_URI: 'vstfs:///Build/Build/12',
      SYSTEM_COLLECTIONURI: 'https://dev.azure.com/fabrikam/',
      SYSTEM_TEAMPROJECT: 'Fabrikam Fiber',
      SYSTEM_STAGEATTEMPT: '2',
      SYSTEM_JOBATTEMPT: '1',
      BUILD_SOURCEVERSION: 'def',
    },
    run: 'azure-12',
    attempt: 2,
    url: 'https://dev.azure.com/fabrikam/Fabrikam%20Fiber/_build/results?buildId=12',
    commit: 'def',
  },
  {
    env: {
      CIRCLECI: 'true',
      CIRCLE_PIPELINE_ID: '5034460f-c7c4-4c43-9457-de07e2029e7b',
      CIRCLE_WORKFLOW_ID: 'fda08377-fe7e-46b1-8992-3a7aaecac9c3',
      CIRCLE_BUILD_URL: 'https://circleci.com/gh/acme/web/8',
      CIRCLE_SHA1: 'fed',
    },
    run: 'circleci-5034460f-c7c4-4c43-9457-de07e2029e7b',
    attempt: 1,
    url: 'https://circleci.com/gh/acme/web/8',
    commit: 'fed',
  },
] as const;

test('GitHub, GitLab, Jenkins, Buildkite, Azure and CircleCI: run, attempt, address and commit are found without being set', () => {
  for (const { env, run, attempt, url, commit } of SYSTEMS) {
    expect({
      run: ciRunId(env),
      attempt: ciAttempt(env),
      url: runUrl(env),
      commit: ciCommit(env),
    }).toEqual({ run, attempt, url, commit });
    // Who asks about a run and who asks about a lease hear the same.
    expect(runId(env)).toBe(run);
    expect(identify({ runnerPid: 1, workerPid: 1, env, view: hostOf({}) }).url).toBe(url);
  }
});

test('what is set by hand stands above the CI system, for leases too; a variable that is set to nothing is not set', () => {
  for (const { env, run, url } of SYSTEMS) {
    const own = { ...env, VMWRIGHT_RUN_ID: 'night', VMWRIGHT_RUN_URL: 'https://x.example.test/1' };
    expect([ciRunId(own), runUrl(own)]).toEqual(['night', 'https://x.example.test/1']);
    expect(identify({ runnerPid: 1, workerPid: 1, env: own, view: hostOf({}) }).url).toBe(
      'https://x.example.test/1',
    );
    const empty = { ...env, VMWRIGHT_RUN_ID: '', VMWRIGHT_RUN_URL: '' };
    expect([ciRunId(empty), runUrl(empty)]).toEqual([run, url]);
  }
  expect(ciRunId({})).toBeUndefined();
  expect([ciAttempt({}), runUrl({}), ciCommit({})]).toEqual([1, undefined, undefined]);
  expect(runId({})).not.toBe(runId({}));
});

test('a job that is run again stays in its run, as a later attempt', () => {
  const again = [
    { GITHUB_RUN_ID: '7', GITHUB_RUN_ATTEMPT: '2' },
    { CIRCLE_PIPELINE_ID: '7', CIRCLE_WORKFLOW_ID: 'second' },
    { BUILDKITE_BUILD_ID: '7', BUILDKITE_RETRY_COUNT: '1' },
    { BUILD_BUILDID: '7', SYSTEM_JOBATTEMPT: '2' },
  ];
  const once = [
    { GITHUB_RUN_ID: '7', GITHUB_RUN_ATTEMPT: '1' },
    { CIRCLE_PIPELINE_ID: '7', CIRCLE_WORKFLOW_ID: 'first' },
    { BUILDKITE_BUILD_ID: '7', BUILDKITE_RETRY_COUNT: '0' },
    { BUILD_BUILDID: '7', SYSTEM_JOBATTEMPT: '1' },
  ];
  expect(again.map((env) => ciRunId(env))).toEqual(once.map((env) => ciRunId(env)));
  expect(once.map((env) => ciAttempt(env))).toEqual([1, 1, 1, 1]);
  expect(again.map((env) => ciAttempt(env))).toEqual([2, 1, 2, 2]);
});
