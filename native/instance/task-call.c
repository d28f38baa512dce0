#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "spored.h"

/* The worker itself may be waiting for its coordinator, or for a disk. */
#define WORKER_PATIENCE_MS 900000
#define PIECE_BYTES (256 * 1024)

static const char *setting(const char *name) {
  const char *value = getenv(name);
  return value != NULL && *value != '\0' ? value : NULL;
}

bool is_in_task(void) {
  return setting("SPAWN_TASK_SOCKET") != NULL;
}

struct json *task_request(const char *verb) {
  const char *fence = setting("SPAWN_FENCE"), *secret = setting("SPAWN_TASK_SECRET");
  if (!is_in_task() || fence == NULL || secret == NULL || fence[strspn(fence, "0123456789")] != '\0') {
    fail(EXIT_OUTSIDE, "expected to be in a task of a spawn worker, found no SPAWN_TASK_SOCKET, SPAWN_TASK_SECRET and SPAWN_FENCE here");
  }
  struct json *request = json_new(JSON_OBJECT, NULL);
  json_set(request, "verb", json_new(JSON_TEXT, verb));
  json_set(request, "fence", json_new(JSON_NUMBER, fence));
  json_set(request, "secret", json_new(JSON_TEXT, secret));
  return request;
}

__attribute__((noreturn)) static void away(int error) {
  const char *why = error == ENOENT || error == ECONNREFUSED ? "nobody listens there"
                    : error == ETIMEDOUT                     ? "no answer within 15 minutes"
                    : error == ECONNRESET || error == EPIPE  ? "it went away before it answered"
                                                             : strerror(error);
  fail(EXIT_NO_AGENT, "the worker of this task does not answer at %s: %s", quoted(getenv("SPAWN_TASK_SOCKET")), why);
}

/* False: the worker has something to say before everything was sent. */
static bool may_send(int link) {
  struct pollfd both = {.fd = link, .events = POLLIN | POLLOUT};
  int ready;
  while ((ready = poll(&both, 1, WORKER_PATIENCE_MS)) < 0 && errno == EINTR) continue;
  if (ready == 0) away(ETIMEDOUT);
  if (ready < 0) away(errno);
  return (both.revents & POLLIN) == 0 && (both.revents & POLLOUT) != 0;
}

static bool send_all(int link, const char *bytes, size_t length) {
  while (length > 0) {
    if (!may_send(link)) return false;
    ssize_t sent = send(link, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (sent < 0) return false;
    bytes += sent;
    length -= (size_t)sent;
  }
  return true;
}

static void send_file(int link, const struct task_bytes *bytes) {
  char *piece = must_have(malloc(PIECE_BYTES));
  for (uint64_t left = bytes->length; left > 0;) {
    ssize_t got = read(bytes->file, piece, left < PIECE_BYTES ? (size_t)left : PIECE_BYTES);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(EXIT_FILES, "the file: %s", strerror(errno));
    if (got == 0) fail(EXIT_FILES, "the file became shorter while it was read");
    if (!send_all(link, piece, (size_t)got)) break;
    left -= (uint64_t)got;
  }
  free(piece);
}

/* What has been received, and how much of it was used. */
struct inbox {
  int link;
  char *bytes;
  size_t filled, room;
};

static bool receive(struct inbox *inbox) {
  if (inbox->filled == inbox->room) inbox->bytes = must_have(realloc(inbox->bytes, inbox->room = inbox->room * 2 + 4096));
  for (;;) {
    struct pollfd readable = {.fd = inbox->link, .events = POLLIN};
    int ready = poll(&readable, 1, WORKER_PATIENCE_MS);
    if (ready < 0 && errno == EINTR) continue;
    if (ready == 0) errno = ETIMEDOUT;
    if (ready <= 0) return false;
    ssize_t got = read(inbox->link, inbox->bytes + inbox->filled, inbox->room - inbox->filled);
    if (got < 0 && errno == EINTR) continue;
    if (got == 0) errno = ECONNRESET;
    if (got <= 0) return false;
    inbox->filled += (size_t)got;
    return true;
  }
}

struct json *ask_worker(struct json *request, const struct task_bytes *bytes, char **received, size_t *length) {
  if (bytes != NULL) json_set(request, "bytes", json_new(JSON_NUMBER, format_text("%llu", (unsigned long long)bytes->length)));
  char *line = format_text("%s\n", json_line(request));
  int link = connect_to(getenv("SPAWN_TASK_SOCKET"));
  if (link < 0) away(errno);
  /* Where it was not taken whole the worker has said why. */
  if (send_all(link, line, strlen(line)) && bytes != NULL) {
    if (bytes->memory != NULL) send_all(link, bytes->memory, bytes->length);
    else send_file(link, bytes);
  }
  struct inbox inbox = {.link = link};
  char *end = NULL;
  while (end == NULL) {
    size_t before = inbox.filled;
    if (inbox.filled > MAX_REPLY_BYTES) fail(EXIT_NO_AGENT, "the worker's answer was no line");
    if (!receive(&inbox)) away(errno);
    end = memchr(inbox.bytes + before, '\n', inbox.filled - before);
  }
  struct json *reply = json_read(inbox.bytes, (size_t)(end - inbox.bytes));
  if (reply == NULL || json_get(reply, "ok") == NULL) fail(EXIT_NO_AGENT, "the worker's answer was no JSON object with ok");
  if (!json_true(reply, "ok")) {
    const char *error = json_text(reply, "error");
    fail((int)json_number(reply, "exit", EXIT_NOT), "%s", error == NULL ? "refused" : error);
  }
  size_t start = (size_t)(end + 1 - inbox.bytes), expected = (size_t)json_number(reply, "bytes", 0);
  if (expected > MAX_CHECKPOINT_BYTES) fail(EXIT_NO_AGENT, "the worker's answer was too large");
  while (inbox.filled - start < expected) {
    if (!receive(&inbox)) away(errno);
  }
  if (received != NULL) {
    *received = inbox.bytes + start;
    *length = expected;
  }
  close(link);
  return reply;
}

char *read_operand(const char *path, size_t limit, size_t *length) {
  bool is_input = strcmp(path, "-") == 0;
  char *bytes = read_whole(is_input ? "/proc/self/fd/0" : path, limit, length);
  if (bytes != NULL) return bytes;
  const char *name = is_input ? "standard input" : path;
  if (errno == EFBIG) fail(EXIT_WRONG, "%s: expected at most %zu bytes, found more", name, limit);
  fail(errno == ENOENT || errno == EISDIR ? EXIT_WRONG : EXIT_FILES, "%s: %s", name, strerror(errno));
}
