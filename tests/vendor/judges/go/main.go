// Tencent's own Go SDK, unmodified, against whoever answers for its hosts. Prints what it saw as one JSON object.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"os"

	"github.com/tencentyun/cos-go-sdk-v5"
)

const workflow = "we59a9648e62e48ffb25e4b41f3721799"

func client(domain, secret string) *cos.Client {
	host, _ := url.Parse("https://media-1250000000.ci.ap-beijing." + domain)
	keys := &cos.AuthorizationTransport{SecretID: os.Getenv("JUDGE_ID"), SecretKey: secret}
	return cos.NewClient(&cos.BaseURL{CIURL: host}, &http.Client{Transport: keys})
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func code(err error) string {
	var refused *cos.ErrorResponse
	if errors.As(err, &refused) {
		return refused.Code
	}
	return ""
}

func main() {
	ctx, saw := context.Background(), map[string]any{}
	sdk := client("myqcloud.com", os.Getenv("JUDGE_SECRET"))
	second := client("tencentci.cn", os.Getenv("JUDGE_SECRET"))

	var ids []string
	for at, key := range []string{"a b.mp4", "b.mp4", "中.mp4"} {
		started, _, err := []*cos.Client{sdk, sdk, second}[at].CI.TriggerWorkflow(ctx, &cos.TriggerWorkflowOptions{WorkflowId: workflow, Object: key, Name: "n"})
		must(err)
		ids = append(ids, started.InstanceId)
	}
	saw["triggered"] = ids
	one, _, err := second.CI.DescribeWorkflowExecution(ctx, ids[2])
	must(err)
	saw["got"] = []string{one.WorkflowExecution[0].RunId, one.WorkflowExecution[0].Object, one.WorkflowExecution[0].State}

	var listed, times []string
	for token, pages := "", 1; ; pages++ {
		page, _, err := sdk.CI.DescribeWorkflowExecutions(ctx, &cos.DescribeWorkflowExecutionsOptions{
			WorkflowId: workflow, Size: 2, OrderByTime: "Asc", NextToken: token})
		must(err)
		for _, row := range page.WorkflowExecutionList {
			listed, times = append(listed, row.RunId), append(times, row.CreationTime)
		}
		if token = page.NextToken; token == "" {
			saw["pages"] = pages
			break
		}
	}
	saw["listed"], saw["timed"] = listed, len(times) == 3 && times[0] != ""
	ended, _, err := sdk.CI.DescribeWorkflowExecutions(ctx, &cos.DescribeWorkflowExecutionsOptions{
		WorkflowId: workflow, States: "Success,Failed"})
	must(err)
	saw["ended"] = len(ended.WorkflowExecutionList)

	batch, _, err := sdk.CI.CreateInventoryTriggerJob(ctx, &cos.CreateInventoryTriggerJobOptions{
		Name: "batch", Type: "Workflow", Input: &cos.InventoryTriggerJobInput{Prefix: "input/"},
		Operation: &cos.InventoryTriggerJobOperation{WorkflowIds: workflow, QueueId: "p1", UserData: "u"}})
	must(err)
	saw["batch"] = batch.JobsDetail.JobId
	started, _, err := sdk.CI.DescribeWorkflowExecutions(ctx, &cos.DescribeWorkflowExecutionsOptions{
		WorkflowId: workflow, JobId: batch.JobsDetail.JobId})
	must(err)
	saw["executions"] = len(started.WorkflowExecutionList)
	job, _, err := sdk.CI.CreateInventoryTriggerJob(ctx, &cos.CreateInventoryTriggerJobOptions{
		Name: "job", Type: "Job", Input: &cos.InventoryTriggerJobInput{Prefix: "input/"},
		Operation: &cos.InventoryTriggerJobOperation{Tag: "Transcode", JobLevel: 1,
			JobParam: &cos.InventoryTriggerJobOperationJobParam{TemplateId: "t1"}}})
	must(err)
	saw["job"] = job.JobsDetail.JobId
	jobs, _, err := sdk.CI.DescribeMediaJobs(ctx, &cos.DescribeMediaJobsOptions{
		Tag: "Transcode", InventoryTriggerJobId: job.JobsDetail.JobId})
	must(err)
	saw["jobs"] = len(jobs.JobsDetail)
	told, _, err := sdk.CI.DescribeInventoryTriggerJob(ctx, job.JobsDetail.JobId)
	must(err)
	saw["told"] = []string{told.JobsDetail.JobId, told.JobsDetail.Operation.Tag}

	// The SDK leaves ?cancel out: a fault of it, which the service must refuse.
	_, err = sdk.CI.CancelInventoryTriggerJob(ctx, batch.JobsDetail.JobId)
	saw["cancel"] = code(err)
	gone, _, err := sdk.CI.DescribeInventoryTriggerJob(ctx, "b0")
	must(err)
	saw["unknown_job"] = gone.NonExistJobId
	_, _, err = sdk.CI.DescribeWorkflowExecution(ctx, "i0")
	saw["unknown_run"] = code(err)
	known, _, err := sdk.CI.DescribeMediaWorkflow(ctx, &cos.DescribeMediaWorkflowOptions{Ids: workflow + ",w1"})
	must(err)
	saw["workflow"] = []string{known.MediaWorkflowList[0].WorkflowId, known.MediaWorkflowList[0].State}
	_, _, err = client("myqcloud.com", "wrong").CI.TriggerWorkflow(ctx, &cos.TriggerWorkflowOptions{WorkflowId: workflow, Object: "x"})
	saw["wrong_key"] = code(err)
	must(json.NewEncoder(os.Stdout).Encode(saw))
}
