// Tencent's own Node.js SDK, unmodified, against whoever answers for its hosts. Prints what it saw as one JSON object.
// It has no methods for workflows: the vendor's demo sends each of these calls by `request`, and so does this.
'use strict';

const COS = require('cos-nodejs-sdk-v5');

const workflow = 'we59a9648e62e48ffb25e4b41f3721799';

function client(SecretKey) {
  return new COS({ SecretId: process.env.JUDGE_ID, SecretKey, Proxy: process.env.JUDGE_PROXY });
}

function caller(sdk, domain) {
  return async (Method, Key, Query, content) => {
    const Body = content && COS.util.json2xml({ Request: content });
    const Url = `https://media-1250000000.ci.ap-beijing.${domain}/${Key}`;
    const headers = { 'content-type': 'application/xml' };
    return (await sdk.request({ Method, Key, Url, Query, Body, Headers: headers, ContentType: 'application/xml' })).Response;
  };
}

const rows = (value) => (value === undefined ? [] : [].concat(value));
const code = (call) => call.then(() => '', (refused) => refused.code);

async function main() {
  const saw = {};
  const ask = caller(client(process.env.JUDGE_SECRET), 'myqcloud.com');
  const second = caller(client(process.env.JUDGE_SECRET), 'tencentci.cn');
  const list = (query) => ask('GET', 'workflowexecution', { workflowId: workflow, ...query });

  saw.triggered = [];
  for (const [object, by] of [['a b.mp4', ask], ['b.mp4', ask], ['中.mp4', second]]) {
    saw.triggered.push((await by('POST', 'triggerworkflow', { workflowId: workflow, object, name: 'n' })).InstanceId);
  }
  const run = (await second('GET', `workflowexecution/${saw.triggered[2]}`)).WorkflowExecution;
  saw.got = [run.RunId, run.Object, run.State];

  saw.listed = [];
  saw.pages = 0;
  for (let nextToken = ''; saw.pages === 0 || nextToken; saw.pages += 1) {
    const page = await list({ size: 2, orderByTime: 'Asc', nextToken });
    saw.listed.push(...rows(page.WorkflowExecutionList).map((row) => row.RunId));
    nextToken = page.NextToken;
  }
  saw.ended = rows((await list({ states: 'Success,Failed' })).WorkflowExecutionList).length;

  const order = (Name, Type, Operation) =>
    ask('POST', 'inventorytriggerjob', {}, { Name, Type, Input: { Prefix: 'input/' }, Operation });
  saw.batch = (await order('batch', 'Workflow', { WorkflowIds: workflow, QueueId: 'p1', UserData: 'u' })).JobsDetail.JobId;
  saw.executions = rows((await list({ jobId: saw.batch })).WorkflowExecutionList).length;
  saw.job = (await order('job', 'Job', { Tag: 'Transcode', JobLevel: 1, JobParam: { TemplateId: 't1' } })).JobsDetail.JobId;
  const children = await ask('GET', 'jobs', { tag: 'Transcode', inventoryTriggerJobId: saw.job });
  saw.jobs = rows(children.JobsDetail).length;
  const told = (await ask('GET', `inventorytriggerjob/${saw.job}`)).JobsDetail;
  saw.told = [told.JobId, told.Operation.Tag];
  const batches = await ask('GET', 'inventorytriggerjob', { size: 10, orderByTime: 'Asc' });
  saw.batches = rows(batches.JobsDetail).map((row) => row.JobId);

  await ask('PUT', `inventorytriggerjob/${saw.batch}`, { cancel: '' });
  saw.cancelled = (await ask('GET', `inventorytriggerjob/${saw.batch}`)).JobsDetail.State;
  saw.unknown_job = (await ask('GET', 'inventorytriggerjob/b0')).NonExistJobIds;
  saw.unknown_run = await code(ask('GET', 'workflowexecution/i0'));
  const known = (await ask('GET', 'workflow', { ids: `${workflow},w1` })).MediaWorkflowList;
  saw.workflow = [known.WorkflowId, known.State];
  const stranger = caller(client('wrong'), 'myqcloud.com');
  saw.wrong_key = await code(stranger('POST', 'triggerworkflow', { workflowId: workflow, object: 'x' }));
  console.log(JSON.stringify(saw));
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
