#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../forker/bytes.h"
#include "init-protocol.h"
#include "machine.h"

/* The one agent that is connected. */
#define READ_BYTES 65536
#define CHUNK_BYTES 16384

static void accept_agent(struct watch *watch, uint32_t events), agent_ready(struct watch *watch, uint32_t events);
static struct watch listener = {.ready = accept_agent, .fd = -1}, agent = {.ready = agent_ready, .fd = -1};

static uint8_t *in, *out;
static size_t in_length, in_room, out_start, out_length, out_room;
static uint64_t told; /* place in what the forker said */

/* Places there at which processes had been killed for their memory; of many the last ones. */
#define MOST_KILLS 64
static uint64_t kills[MOST_KILLS];
static size_t kill_count, told_kills;

static void drop_agent(void) {
  if (agent.fd < 0) return;
  watch_close(&agent);
  free(in);
  free(out);
  in = out = NULL;
  in_length = in_room = out_start = out_length = out_room = 0;
  forker_agent_changed();
}

static uint8_t *begin_frame(uint8_t type, size_t payload) {
  size_t bytes = 5 + payload;
  if (out_length + bytes > out_room) {
    out_room = (out_length + bytes) * 2;
    out = realloc(out, out_room);
    if (out == NULL) _exit(1);
  }
  uint8_t *to = put_u32(out + out_length, (uint32_t)(1 + payload));
  *to++ = type;
  out_length += bytes;
  return to;
}

static void reply(uint32_t request, int error) {
  put_u32(put_u32(begin_frame(INIT_REPLY, 8), request), (uint32_t)error);
}

static void reply_activity(uint32_t request) {
  struct activity now;
  measure_activity(&now);
  uint8_t *to = put_u32(put_u32(begin_frame(INIT_REPLY, 48), request), 0);
  to = put_u64(to, now.cpu_us);
  to = put_u64(to, now.disk_bytes);
  to = put_u64(to, now.memory_bytes);
  to = put_u64(to, now.processes);
  put_u64(to, requests_logins());
}

static void say_hello(void) {
  uint8_t *to = put_u16(begin_frame(INIT_HELLO, 10), INIT_PROTOCOL_VERSION);
  to = put_u32(to, (uint32_t)M.forker);
  put_u32(to, (M.frozen ? INIT_FROZEN : 0) | (limits_have_group() ? INIT_CGROUP : 0) | (etc_is_overlay ? INIT_OVERLAY : 0));
}

/* As far as it goes: who has not read what was said before finds out when it reads on. */
static void say_taken(void) {
  if (agent.fd < 0) return;
  begin_frame(INIT_TAKEN, 0);
  ssize_t sent = send(agent.fd, out + out_start, out_length - out_start, MSG_NOSIGNAL);
  (void)sent;
}

void agent_say_ending(const char *why) {
  if (agent.fd < 0) return;
  size_t length = strlen(why);
  memcpy(begin_frame(INIT_ENDING, length), why, length);
  agent_wake();
}

static bool take_forker_words(void) {
  size_t length;
  bool lost;
  told = forker_skip(told);
  for (; told_kills < kill_count && kills[told_kills] <= told; told_kills++) begin_frame(INIT_MEMORY, 0);
  const uint8_t *bytes = forker_said(told, &length, &lost);
  if (lost) note("the agent read too slowly and is let go");
  if (lost) return false;
  if (bytes == NULL) return true;
  if (length > CHUNK_BYTES) length = CHUNK_BYTES;
  if (told_kills < kill_count && length > kills[told_kills] - told) length = (size_t)(kills[told_kills] - told);
  memcpy(begin_frame(INIT_FROM_FORKER, length), bytes, length);
  told += length;
  return true;
}

void agent_say_memory(void) {
  uint64_t at = forker_end();
  if (kill_count > 0 && kills[kill_count - 1] == at) return;
  if (kill_count == MOST_KILLS) {
    memmove(kills, kills + 1, --kill_count * sizeof *kills);
    if (told_kills > 0) told_kills--;
  }
  kills[kill_count++] = at;
  agent_wake();
}

static void flush(void) {
  while (agent.fd >= 0) {
    if (out_start == out_length) {
      out_start = out_length = 0;
      if (!take_forker_words()) {
        drop_agent();
        return;
      }
    }
    if (out_start == out_length) break;
    ssize_t sent = send(agent.fd, out + out_start, out_length - out_start, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno != EAGAIN) {
      drop_agent();
      return;
    }
    if (sent < 0) break;
    out_start += (size_t)sent;
  }
  if (agent.fd < 0) return;
  if (out_start == out_length) {
    free(out);
    out = NULL;
    out_start = out_length = out_room = 0;
  }
  watch_change(&agent, (forker_is_full() ? 0 : EPOLLIN) | (out_start < out_length ? EPOLLOUT : 0));
}

void agent_wake(void) {
  if (agent.fd >= 0) flush();
}

bool agent_is_idle(void) {
  return agent.fd < 0 || out_start == out_length;
}

/* False: not as init-protocol.h says. */
static bool obey(uint8_t type, const uint8_t *payload, size_t length) {
  if (type == INIT_TO_FORKER) return forker_take(payload, length);
  if (length < 4) return false;
  uint32_t request = get_u32(payload);
  const uint8_t *rest = payload + 4;
  size_t left = length - 4;
  if (type == INIT_DEADLINE && (left == 8 || left == 12)) {
    deadline_set(get_u64(rest), left == 12 ? get_u32(rest + 8) : M.conf.grace_ms);
    reply(request, 0);
  } else if (type == INIT_FREEZE && left == 0) {
    freeze_all();
    reply(request, M.frozen ? 0 : ESHUTDOWN);
  } else if (type == INIT_THAW && left == 0) {
    thaw_all();
    reply(request, 0);
  } else if (type == INIT_ACTIVITY && left == 0) {
    reply_activity(request);
  } else if (type == INIT_STOP && left == 4) {
    reply(request, 0);
    end_machine("stop", get_u32(rest));
  } else {
    return false;
  }
  return true;
}

static bool take_frames(void) {
  size_t at = 0;
  bool well = true;
  while (well && in_length - at >= 5) {
    size_t length = get_u32(in + at);
    well = length > 0 && length <= INIT_MOST_FRAME;
    if (!well || in_length - at - 4 < length) break;
    well = obey(in[at + 4], in + at + 5, length - 1);
    at += 4 + length;
    if (agent.fd < 0) return true;
  }
  if (!well) return false;
  memmove(in, in + at, in_length - at);
  in_length -= at;
  if (in_length == 0) {
    free(in);
    in = NULL;
    in_room = 0;
  }
  return true;
}

static void agent_ready(struct watch *watch, uint32_t events) {
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
    if (in_length + READ_BYTES > in_room) {
      in_room = in_length + READ_BYTES;
      in = realloc(in, in_room);
      if (in == NULL) _exit(1);
    }
    ssize_t got = read(watch->fd, in + in_length, in_room - in_length);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
      drop_agent();
      return;
    }
    if (got > 0) in_length += (size_t)got;
    if (!take_frames()) {
      note("the agent sent what is no request and is let go");
      drop_agent();
      return;
    }
  }
  flush();
}

static void accept_agent(struct watch *watch, uint32_t events) {
  (void)events;
  int fd = accept4(watch->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) return;
  /* A program inside that connects would take the place of the agent. */
  if (!is_same_user(fd) || !is_outside(fd)) {
    close(fd);
    return;
  }
  say_taken();
  drop_agent();
  agent.fd = fd;
  told = 0;
  told_kills = 0;
  if (!watch_add(&agent, EPOLLIN)) return;
  say_hello();
  flush();
}

void agent_open(void) {
  listener.fd = listen_at(run_place("init.sock"));
  if (!watch_add(&listener, EPOLLIN)) fail_step("listen", "/run/spawn/init.sock");
}
