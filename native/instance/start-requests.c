#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../forker/bytes.h"
#include "exec-protocol.h"
#include "machine.h"

/* Who is connected to exec.sock, and the process that was started for each. */
#define MOST_CLIENTS 256
/* For the whole of a request: who says half of one keeps a place, and what came with it, no longer. */
#define REQUEST_WITHIN_US 10000000u

static void accept_client(struct watch *watch, uint32_t events), client_ready(struct watch *watch, uint32_t events);

struct client {
  struct watch watch; /* first */
  struct client *next;
  uint8_t head[EXEC_REQUEST_BYTES];
  size_t head_length, text_length, text_wanted;
  char *text;
  struct start_request request;
  bool has_fds;
  uint8_t order[EXEC_ORDER_BYTES];
  size_t order_length;
  pid_t pid;       /* 0: not started, or ended */
  uint64_t kill_us; /* the client is gone; KILL then, 0: not */
  uint64_t whole_us; /* its request must be whole by then, 0: it is */
};
static struct client *clients;
static size_t client_count;
static struct watch listener = {.ready = accept_client, .fd = -1};

static void close_descriptors(struct client *client) {
  for (size_t i = 0; client->has_fds && i < EXEC_DESCRIPTORS; i++) close(client->request.fds[i]);
  client->has_fds = false;
}

static void drop(struct client *client) {
  if (client->watch.fd >= 0) watch_close(&client->watch);
  close_descriptors(client);
  for (struct client **link = &clients; *link != NULL; link = &(*link)->next) {
    if (*link != client) continue;
    *link = client->next;
    break;
  }
  client_count--;
  free(client->text);
  free(client);
}

static void answer(struct client *client, uint32_t kind, uint32_t a, uint32_t b) {
  uint8_t record[EXEC_REPLY_BYTES];
  put_u32(put_u32(put_u32(record, kind), a), b);
  if (client->watch.fd >= 0) send(client->watch.fd, record, sizeof record, MSG_NOSIGNAL);
}

static void refuse(struct client *client, uint32_t kind, uint32_t a, uint32_t b) {
  answer(client, kind, a, b);
  drop(client);
}

/* The client went while its process runs: it is not shown to anybody any more. */
static void abandon(struct client *client) {
  watch_close(&client->watch);
  kill(-client->pid, SIGTERM);
  kill(-client->pid, SIGCONT);
  client->kill_us = steady_us() + (uint64_t)client->request.grace_ms * 1000 + 1;
}

static void leave(struct client *client) {
  if (client->pid != 0) abandon(client);
  else drop(client);
}

/* The strings of the request, which the text must hold exactly. */
static bool split(struct client *client, char ***strings) {
  struct start_request *request = &client->request;
  size_t wanted = 1 + (size_t)request->argc + request->envc;
  char **list = calloc(wanted + 3, sizeof *list), *at = client->text, *end = at + client->text_length;
  *strings = list;
  if (list == NULL || end == at || end[-1] != '\0') return false;
  request->cwd = at;
  at += strlen(at) + 1;
  request->argv = list;
  request->env = list + request->argc + 1;
  for (uint32_t i = 0; i < request->argc; i++, at += strlen(at) + 1) {
    if (at >= end) return false;
    request->argv[i] = at;
  }
  for (uint32_t i = 0; i < request->envc; i++, at += strlen(at) + 1) {
    if (at >= end || *at == '=' || strchr(at, '=') == NULL) return false;
    request->env[i] = at;
  }
  return at == end && request->argv[0][0] != '\0';
}

static void start(struct client *client) {
  if (M.stopping) return refuse(client, EXEC_REFUSED, EXEC_ENDING, 0);
  if (M.frozen) return refuse(client, EXEC_REFUSED, EXEC_FROZEN, 0);
  char **strings;
  if (!split(client, &strings)) {
    free(strings);
    return refuse(client, EXEC_REFUSED, EXEC_BAD_REQUEST, 0);
  }
  uint32_t step = 0;
  client->whole_us = 0;
  client->pid = request_start(&client->request, &step);
  int error = errno;
  free(strings);
  free(client->text);
  client->text = NULL;
  close_descriptors(client);
  if (client->pid < 0) {
    client->pid = 0;
    return refuse(client, EXEC_FAILED, step, (uint32_t)error);
  }
  answer(client, EXEC_STARTED, (uint32_t)client->pid, 0);
}

/* False: more than three descriptors, or at the wrong place. */
static bool take_descriptors(struct client *client, struct msghdr *message) {
  bool well = (message->msg_flags & MSG_CTRUNC) == 0;
  for (struct cmsghdr *at = CMSG_FIRSTHDR(message); at != NULL; at = CMSG_NXTHDR(message, at)) {
    if (at->cmsg_level != SOL_SOCKET || at->cmsg_type != SCM_RIGHTS) continue;
    size_t count = (at->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    int fds[EXEC_DESCRIPTORS];
    memcpy(fds, CMSG_DATA(at), (count > EXEC_DESCRIPTORS ? EXEC_DESCRIPTORS : count) * sizeof(int));
    if (well && count == EXEC_DESCRIPTORS && !client->has_fds && client->head_length == 0) {
      memcpy(client->request.fds, fds, sizeof fds);
      client->has_fds = true;
      continue;
    }
    for (size_t i = 0; i < count && i < EXEC_DESCRIPTORS; i++) close(fds[i]);
    well = false;
  }
  return well;
}

static bool take_head(struct client *client) {
  struct start_request *request = &client->request;
  if (get_u32(client->head) != EXEC_MAGIC || !client->has_fds) return false;
  request->flags = get_u32(client->head + 4);
  client->text_wanted = get_u32(client->head + 8);
  request->argc = get_u32(client->head + 12);
  request->envc = get_u32(client->head + 16);
  request->grace_ms = get_u32(client->head + 20);
  if ((request->flags & ~EXEC_ALL_FLAGS) != 0 || client->text_wanted == 0 || client->text_wanted > EXEC_MOST_BYTES) return false;
  if (request->argc == 0 || request->argc > EXEC_MOST_STRINGS || request->envc > EXEC_MOST_STRINGS) return false;
  if (request->grace_ms > EXEC_MOST_GRACE_MS) return false;
  client->text = malloc(client->text_wanted);
  return client->text != NULL;
}

static void read_request(struct client *client) {
  bool in_head = client->head_length < EXEC_REQUEST_BYTES;
  struct iovec into = {.iov_base = in_head ? (void *)(client->head + client->head_length) : client->text + client->text_length,
                       .iov_len = in_head ? EXEC_REQUEST_BYTES - client->head_length : client->text_wanted - client->text_length};
  union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int) * EXEC_DESCRIPTORS)];
  } control;
  struct msghdr message = {.msg_iov = &into, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
  ssize_t got = recvmsg(client->watch.fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) return drop(client);
  if (!take_descriptors(client, &message)) return refuse(client, EXEC_REFUSED, EXEC_BAD_REQUEST, 0);
  if (!in_head) client->text_length += (size_t)got;
  else client->head_length += (size_t)got;
  if (in_head && client->head_length == EXEC_REQUEST_BYTES && !take_head(client)) return refuse(client, EXEC_REFUSED, EXEC_BAD_REQUEST, 0);
  if (!in_head && client->text_length == client->text_wanted) start(client);
}

static void read_order(struct client *client) {
  ssize_t got = recv(client->watch.fd, client->order + client->order_length, EXEC_ORDER_BYTES - client->order_length, MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) return leave(client);
  client->order_length += (size_t)got;
  if (client->order_length < EXEC_ORDER_BYTES) return;
  client->order_length = 0;
  uint32_t signal = get_u32(client->order + 4);
  if (get_u32(client->order) != EXEC_SIGNAL || signal == 0 || signal >= NSIG) return leave(client);
  kill(-client->pid, (int)signal);
}

static void client_ready(struct watch *watch, uint32_t events) {
  (void)events;
  struct client *client = (struct client *)watch;
  if (client->pid != 0) read_order(client);
  else read_request(client);
}

static void accept_client(struct watch *watch, uint32_t events) {
  (void)events;
  int fd = accept4(watch->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) return;
  struct client *client = calloc(1, sizeof *client);
  if (client == NULL) {
    close(fd);
    return;
  }
  client->watch = (struct watch){.ready = client_ready, .fd = fd};
  client->whole_us = steady_us() + REQUEST_WITHIN_US;
  client->next = clients;
  clients = client;
  client_count++;
  if (!is_same_user(fd)) refuse(client, EXEC_REFUSED, EXEC_NOT_ALLOWED, 0);
  else if (client_count > MOST_CLIENTS) refuse(client, EXEC_REFUSED, EXEC_TOO_MANY, 0);
  else if (!watch_add(&client->watch, EPOLLIN)) drop(client);
}

bool requests_reaped(pid_t pid, int status) {
  for (struct client *client = clients; client != NULL; client = client->next) {
    if (client->pid != pid) continue;
    client->pid = 0;
    if (WIFSIGNALED(status)) answer(client, EXEC_SIGNALLED, (uint32_t)WTERMSIG(status), WCOREDUMP(status) ? 1 : 0);
    else answer(client, EXEC_EXITED, (uint32_t)WEXITSTATUS(status), 0);
    drop(client);
    return true;
  }
  return false;
}

static void kill_session(const struct process *process, void *to) {
  const struct client *client = to;
  if (process->session == client->pid) kill(process->pid, SIGKILL);
}

int requests_expire(void) {
  uint64_t now = steady_us(), least = UINT64_MAX;
  for (struct client *client = clients, *next; client != NULL; client = next) {
    next = client->next;
    if (client->whole_us != 0) {
      if (now >= client->whole_us) refuse(client, EXEC_REFUSED, EXEC_BAD_REQUEST, 0);
      else if (client->whole_us < least) least = client->whole_us;
      continue;
    }
    if (client->kill_us == 0 || client->pid == 0) continue;
    if (now >= client->kill_us) {
      each_process(kill_session, client);
      client->kill_us = 0;
    } else if (client->kill_us < least) {
      least = client->kill_us;
    }
  }
  return least == UINT64_MAX ? -1 : (int)((least - now) / 1000) + 1;
}

uint32_t requests_logins(void) {
  uint32_t count = 0;
  for (const struct client *client = clients; client != NULL; client = client->next) {
    count += client->pid != 0 && client->watch.fd >= 0 && (client->request.flags & EXEC_LOGIN) != 0;
  }
  return count;
}

void requests_open(int peers) {
  listener.fd = listen_at(run_place("exec.sock"));
  if (!watch_add(&listener, EPOLLIN)) fail_step("listen", "/run/spawn/exec.sock");
  /* Through descriptors of the mounts outside: inside, both are mounts of their own, and links do not go from one to another. */
  char name[256];
  snprintf(name, sizeof name, "%.200s.exec", M.conf.id);
  unlinkat(peers, name, 0);
  if (linkat(M.folder, "run/exec.sock", peers, name, 0) != 0) note("members of the array cannot reach it: %s", strerror(errno));
}
