// Tencent's own Java SDK, unmodified, against whoever answers for its hosts. Prints what it saw as one JSON object.

import com.qcloud.cos.COSClient;
import com.qcloud.cos.ClientConfig;
import com.qcloud.cos.auth.BasicCOSCredentials;
import com.qcloud.cos.endpoint.UserSpecifiedEndpointBuilder;
import com.qcloud.cos.exception.CosServiceException;
import com.qcloud.cos.model.ciModel.job.BatchJobDetail;
import com.qcloud.cos.model.ciModel.job.BatchJobRequest;
import com.qcloud.cos.model.ciModel.workflow.AttachParam;
import com.qcloud.cos.model.ciModel.workflow.MediaWorkflowExecutionObject;
import com.qcloud.cos.model.ciModel.workflow.MediaWorkflowExecutionsResponse;
import com.qcloud.cos.model.ciModel.workflow.MediaWorkflowListRequest;
import com.qcloud.cos.region.Region;
import com.google.gson.Gson;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

public class Judge {
  private static final String BUCKET = "media-1250000000";
  private static final String WORKFLOW = "we59a9648e62e48ffb25e4b41f3721799";

  private static COSClient client(String secret) {
    return client(secret, new ClientConfig(new Region("ap-beijing")));
  }

  private static COSClient client(String secret, ClientConfig config) {
    String[] proxy = System.getenv("JUDGE_PROXY").replace("http://", "").split(":");
    config.setHttpProxyIp(proxy[0]);
    config.setHttpProxyPort(Integer.parseInt(proxy[1]));
    config.setMaxErrorRetry(0);
    return new COSClient(new BasicCOSCredentials(System.getenv("JUDGE_ID"), secret), config);
  }

  private static MediaWorkflowListRequest ask() {
    MediaWorkflowListRequest request = new MediaWorkflowListRequest();
    request.setBucketName(BUCKET);
    request.setWorkflowId(WORKFLOW);
    return request;
  }

  private static BatchJobRequest batch(String name, String type) {
    BatchJobRequest request = new BatchJobRequest();
    request.setBucketName(BUCKET);
    request.setName(name);
    request.setType(type);
    request.getInput().setPrefix("input/");
    return request;
  }

  private static BatchJobRequest job(String id) {
    BatchJobRequest request = new BatchJobRequest();
    request.setBucketName(BUCKET);
    request.setJobId(id);
    return request;
  }

  private static String code(Runnable call) {
    try {
      call.run();
      return "";
    } catch (CosServiceException refused) {
      return refused.getErrorCode();
    }
  }

  public static void main(String[] arguments) {
    Map<String, Object> saw = new LinkedHashMap<>();
    COSClient sdk = client(System.getenv("JUDGE_SECRET"));
    ClientConfig other = new ClientConfig(new Region("ap-beijing"));
    String host = BUCKET + ".ci.ap-beijing.tencentci.cn";
    other.setEndpointBuilder(new UserSpecifiedEndpointBuilder(host, host));
    COSClient spare = client(System.getenv("JUDGE_SECRET"), other);

    List<String> ids = new ArrayList<>();
    for (String key : new String[] {"a b.mp4", "b.mp4", "\u4e2d.mp4"}) {
      MediaWorkflowListRequest request = ask();
      request.setObject(key);
      request.setName("n");
      if (ids.isEmpty()) {
        AttachParam attached = new AttachParam();
        attached.setWatermarkTemplateId("t1");
        request.setAttachParam(attached);
      }
      ids.add((ids.size() < 2 ? sdk : spare).triggerWorkflowList(request).getInstanceId());
    }
    saw.put("triggered", ids);
    MediaWorkflowListRequest one = ask();
    one.setRunId(ids.get(2));
    MediaWorkflowExecutionObject run = spare.describeWorkflowExecution(one).getWorkflowExecution();
    saw.put("got", List.of(run.getRunId(), run.getObject(), run.getState()));

    List<String> listed = new ArrayList<>();
    int pages = 0;
    for (String token = ""; pages == 0 || (token != null && !token.isEmpty()); pages++) {
      MediaWorkflowListRequest request = ask();
      request.setSize("2");
      request.setOrderByTime("Asc");
      request.setNextToken(token.isEmpty() ? null : token);
      MediaWorkflowExecutionsResponse page = sdk.describeWorkflowExecutions(request);
      page.getWorkflowExecutionList().forEach(row -> listed.add(row.getRunId()));
      token = page.getNextToken();
    }
    saw.put("listed", listed);
    saw.put("pages", pages);
    MediaWorkflowListRequest ended = ask();
    ended.setStates("Success,Failed");
    saw.put("ended", sdk.describeWorkflowExecutions(ended).getWorkflowExecutionList().size());

    BatchJobRequest workflows = batch("batch", "Workflow");
    workflows.getOperation().setWorkflowIds(WORKFLOW);
    workflows.getOperation().setQueueId("p1");
    workflows.getOperation().setUserData("u");
    String first = sdk.createInventoryTriggerJob(workflows).getJobDetail().getJobId();
    saw.put("batch", first);
    BatchJobRequest single = batch("job", "Job");
    single.getOperation().setTag("Transcode");
    single.getOperation().setJobLevel("1");
    single.getOperation().getJobParam().setTemplateId("t1");
    String second = sdk.createInventoryTriggerJob(single).getJobDetail().getJobId();
    saw.put("job", second);
    BatchJobDetail told = sdk.describeInventoryTriggerJob(job(second)).getJobDetail();
    saw.put("told", List.of(told.getJobId(), told.getOperation().getTag()));

    sdk.cancelInventoryTriggerJob(job(first));
    saw.put("cancelled", sdk.describeInventoryTriggerJob(job(first)).getJobDetail().getState());
    MediaWorkflowListRequest unknown = ask();
    unknown.setRunId("i0");
    saw.put("unknown_run", code(() -> sdk.describeWorkflowExecution(unknown)));
    // Not describeWorkflow: this SDK fails at any answer in which, as on the page, RequestId is before the first row.
    MediaWorkflowListRequest refused = ask();
    refused.setObject("x");
    COSClient stranger = client("wrong");
    saw.put("wrong_key", code(() -> stranger.triggerWorkflowList(refused)));
    System.out.println(new Gson().toJson(saw));
    sdk.shutdown();
    spare.shutdown();
    stranger.shutdown();
  }
}
