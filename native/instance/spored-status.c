#define _GNU_SOURCE
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "spored.h"

/* Of --check-complete, and of it alone. */
enum { COMPLETE = 0, FAILED = 1, RUNNING = 2, CANNOT_TELL = 3 };

/* What the agent says, or what it wrote last; NULL: neither. */
static struct json *find_status(bool *away, const char **why) {
  const struct json *reply = ask_agent(request_of("status"), why);
  const struct json *status = json_get(reply, "status");
  *away = false;
  if (json_true(reply, "ok") && status != NULL && status->kind == JSON_OBJECT) return (struct json *)status;
  if (reply != NULL) {
    const char *says = json_text(reply, "error");
    *why = says == NULL ? "its answer had no status" : says;
  }
  *away = true;
  size_t length;
  char *path = etc_path("status.json"), *text = read_whole(path, MAX_REPLY_BYTES, &length);
  struct json *written = text == NULL ? NULL : json_read(text, length);
  return written != NULL && written->kind == JSON_OBJECT ? written : NULL;
}

static struct json *completion_json(const struct completion *completion) {
  if (!completion->given) return json_new(JSON_NULL, NULL);
  struct json *object = json_new(JSON_OBJECT, NULL);
  json_set(object, "status", json_new(JSON_TEXT, completion->failed ? "failed" : "success"));
  json_set(object, "message", json_new(completion->message == NULL ? JSON_NULL : JSON_TEXT, completion->message));
  json_set(object, "timestamp", json_new(completion->timestamp == NULL ? JSON_NULL : JSON_TEXT, completion->timestamp));
  return object;
}

static int check_complete(void) {
  if (!is_inside()) {
    say("expected to be inside an instance, found no %s here", run_path(""));
    return CANNOT_TELL;
  }
  struct completion completion = read_completion();
  bool failed = completion.failed, given = completion.given;
  if (!given) {
    /* The end of a command decides too, without a signal, and only the agent saw it. */
    bool away;
    const char *why = NULL;
    const struct json *status = find_status(&away, &why);
    if (status == NULL) {
      say("the agent does not answer (%s), and has left no status", why);
      return CANNOT_TELL;
    }
    const char *word = json_text(json_get(status, "completion"), "status");
    given = word != NULL;
    failed = given && strcmp(word, "success") != 0;
  }
  puts(!given ? "running" : failed ? "failed" : "complete");
  finish_output();
  return !given ? RUNNING : failed ? FAILED : COMPLETE;
}

static const char *shown(const struct json *object, const char *key) {
  const struct json *field = json_get(object, key);
  if (field == NULL || field->kind == JSON_NULL) return NULL;
  if (field->kind == JSON_TRUE) return "yes";
  if (field->kind == JSON_FALSE) return "no";
  return field->text;
}

static const char *seconds(const struct json *object, const char *key) {
  double left = json_number(object, key, NAN);
  if (isnan(left)) return NULL;
  long long total = (long long)(left < 0 ? 0 : left);
  if (total >= 86400) return format_text("%lldd%lldh%lldm", total / 86400, total / 3600 % 24, total / 60 % 60);
  if (total >= 3600) return format_text("%lldh%lldm%llds", total / 3600, total / 60 % 60, total % 60);
  if (total >= 60) return format_text("%lldm%llds", total / 60, total % 60);
  return format_text("%llds", total);
}

static const char *dollars(const struct json *object, const char *key) {
  double amount = json_number(object, key, NAN);
  return isnan(amount) ? NULL : format_text("$%.4f", amount);
}

static void row(const char *label, const char *value, const char *more) {
  if (value == NULL) return;
  printf("%-13s%s%s%s%s\n", label, value, more == NULL ? "" : " (", more == NULL ? "" : more, more == NULL ? "" : ")");
}

static void print_text_form(const struct json *status) {
  const struct json *ttl = json_get(status, "ttl"), *idle = json_get(status, "idle"), *done = json_get(status, "on_complete");
  const struct json *cost = json_get(status, "cost"), *array = json_get(status, "job_array"), *end = json_get(status, "completion");
  const struct json *notice = json_get(status, "interruption");
  row("Instance:", shown(status, "name"), shown(status, "instance_id"));
  row("State:", shown(status, "state"), NULL);
  if (shown(array, "name") != NULL) {
    const char *index = shown(array, "index"), *size = shown(array, "size");
    row("Array:", shown(array, "name"), format_text("index %s of %s", index == NULL ? "?" : index, size == NULL ? "?" : size));
  }
  row("Type:", shown(status, "instance_type"), shown(status, "availability_zone"));
  row("Running for:", seconds(status, "elapsed_seconds"), shown(status, "started_at"));
  const char *left = seconds(ttl, "remaining_seconds");
  row("TTL:", left == NULL ? "none" : format_text("%s left", left), left == NULL ? NULL : shown(ttl, "terminate_at"));
  row("Interrupted:", shown(notice, "time"), shown(notice, "action"));
  if (json_number(idle, "timeout_seconds", 0) > 0) {
    const char *idle_for = seconds(idle, "idle_seconds"), *action = shown(idle, "action");
    row("Idle for:", idle_for == NULL ? "0s" : idle_for, format_text("%s after %s", action == NULL ? "acts" : action, seconds(idle, "timeout_seconds")));
  }
  row("On complete:", shown(done, "action"), shown(done, "completion_file"));
  row("Completion:", shown(end, "status") == NULL ? "none yet" : shown(end, "status"), shown(end, "message"));
  const char *price = dollars(cost, "price_per_hour"), *most = dollars(cost, "cost_limit");
  row("Cost:", dollars(cost, "cumulative_cost"), price == NULL ? NULL : format_text("%s an hour%s%s", price, most == NULL ? "" : ", limit ", most == NULL ? "" : most));
  const char *cpu = shown(status, "cpu_percent");
  row("CPU:", cpu == NULL ? NULL : format_text("%.1f %%", json_number(status, "cpu_percent", 0)), NULL);
  row("Pre-stop:", shown(status, "pre_stop_hook"), NULL);
  row("Agent:", shown(status, "agent"), NULL);
}

int run_status(int argc, char **argv) {
  const char *output = NULL;
  bool check = false;
  const struct option options[] = {{"output", 'o', &output, NULL}, {"check-complete", 0, NULL, &check}};
  int operands = read_options(argc, argv, options, COUNT_OF(options), false);
  bool json = wants_json(output);
  if (operands > 0) fail(EXIT_WRONG, "expected no operand, found %s", quoted(argv[0]));
  if (check) return check_complete();
  must_be_inside();
  bool away;
  const char *why = NULL;
  struct json *status = find_status(&away, &why);
  if (status == NULL) fail(EXIT_NO_AGENT, "the agent does not answer (%s), and has left no status", why);
  if (away) say("the agent is away (%s); this is what it wrote last", why);
  json_set(status, "agent", json_new(JSON_TEXT, away ? "away" : "running"));
  struct completion completion = read_completion();
  if (completion.given || json_get(status, "completion") == NULL) json_set(status, "completion", completion_json(&completion));
  if (json) {
    json_print(stdout, status, 0);
    putchar('\n');
  } else {
    print_text_form(status);
  }
  finish_output();
  return EXIT_DONE;
}
