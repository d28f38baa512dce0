#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "spored.h"

struct json *request_of(const char *command) {
  struct json *request = json_new(JSON_OBJECT, NULL);
  json_set(request, "command", json_new(JSON_TEXT, command));
  return request;
}

static bool send_line(int link, const char *line) {
  for (size_t left = strlen(line); left > 0;) {
    ssize_t sent = send(link, line, left, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return false;
    line += sent;
    left -= (size_t)sent;
  }
  return true;
}

/* NULL with errno: no whole line within the time. */
static char *receive_line(int link) {
  size_t room = 4096, filled = 0;
  char *line = must_have(malloc(room));
  uint64_t until = monotonic_ms() + AGENT_PATIENCE_MS;
  for (;;) {
    uint64_t now = monotonic_ms();
    struct pollfd readable = {.fd = link, .events = POLLIN};
    int ready = poll(&readable, 1, now < until ? (int)(until - now) : 0);
    if (ready < 0 && errno == EINTR) continue;
    if (ready == 0) errno = ETIMEDOUT;
    if (ready <= 0) break;
    ssize_t got = read(link, line + filled, room - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got == 0) errno = ECONNRESET;
    if (got <= 0) break;
    char *end = memchr(line + filled, '\n', (size_t)got);
    filled += (size_t)got;
    if (end != NULL) {
      *end = '\0';
      return line;
    }
    if (filled == room) {
      if (room >= MAX_REPLY_BYTES) {
        errno = EMSGSIZE;
        break;
      }
      line = must_have(realloc(line, room *= 2));
    }
  }
  int error = errno;
  free(line);
  errno = error;
  return NULL;
}

static const char *in_words(int error) {
  if (error == ENOENT || error == ECONNREFUSED) return "nobody listens on agent.sock";
  if (error == ETIMEDOUT || error == EAGAIN) return "no answer within 10 s";
  if (error == ECONNRESET || error == EPIPE) return "it went away before it answered";
  return strerror(error);
}

struct json *ask_agent(const struct json *request, const char **why) {
  char *line = format_text("%s\n", json_line(request));
  if (strlen(line) > MAX_REQUEST_BYTES) fail(EXIT_WRONG, "expected a request below %d bytes, found %zu", MAX_REQUEST_BYTES, strlen(line));
  int link = connect_to(run_path("agent.sock"));
  char *reply = NULL;
  struct timeval patience = {.tv_sec = AGENT_PATIENCE_MS / 1000};
  if (link >= 0) setsockopt(link, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (link >= 0 && send_line(link, line)) reply = receive_line(link);
  int error = errno;
  if (link >= 0) close(link);
  if (reply == NULL) {
    *why = in_words(error);
    return NULL;
  }
  struct json *read = json_read(reply, strlen(reply));
  if (read == NULL || json_get(read, "ok") == NULL) {
    *why = "its answer was no JSON object with ok";
    return NULL;
  }
  return read;
}
