#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../forker/bytes.h"
#include "exec-protocol.h"
#include "spored.h"

static const int PASSED_ON[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};
static sigset_t signals_before;

bool is_passed_on(int number) {
  for (size_t i = 0; i < COUNT_OF(PASSED_ON); i++) if (PASSED_ON[i] == number) return true;
  return false;
}

int take_signals(void) {
  sigset_t wanted;
  sigemptyset(&wanted);
  for (size_t i = 0; i < COUNT_OF(PASSED_ON); i++) sigaddset(&wanted, PASSED_ON[i]);
  sigaddset(&wanted, SIGCHLD);
  sigaddset(&wanted, SIGWINCH);
  sigprocmask(SIG_BLOCK, &wanted, &signals_before);
  int signals = signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
  if (signals < 0) fail(EXIT_FILES, "cannot watch for signals: %s", strerror(errno));
  return signals;
}

int next_signal(int signals) {
  struct signalfd_siginfo info;
  return read(signals, &info, sizeof info) == sizeof info ? (int)info.ssi_signo : 0;
}

void give_signals_back(void) {
  sigprocmask(SIG_SETMASK, &signals_before, NULL);
}

/* Fills the address of a path that may be longer than an address can be: then it goes through its directory, which stays open for it. */
static bool address_of(const char *path, struct sockaddr_un *address, int *directory) {
  *address = (struct sockaddr_un){.sun_family = AF_UNIX};
  *directory = -1;
  if (strlen(path) < sizeof address->sun_path) {
    strcpy(address->sun_path, path);
    return true;
  }
  const char *name = strrchr(path, '/') + 1;
  char *folder = format_text("%.*s", (int)(name - path), path);
  *directory = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
  free(folder);
  if (*directory < 0) return false;
  int length = snprintf(address->sun_path, sizeof address->sun_path, "/proc/self/fd/%d/%s", *directory, name);
  if (length < (int)sizeof address->sun_path) return true;
  close(*directory);
  errno = ENAMETOOLONG;
  return false;
}

static int open_socket(const char *path, int type, int (*join)(int, const struct sockaddr *, socklen_t)) {
  struct sockaddr_un address;
  int directory;
  if (!address_of(path, &address, &directory)) return -1;
  int link = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
  bool done = link >= 0 && join(link, (struct sockaddr *)&address, sizeof address) == 0;
  int error = errno;
  if (directory >= 0) close(directory);
  if (!done && link >= 0) close(link);
  errno = error;
  return done ? link : -1;
}

/* Accounts of services have a shell that refuses every login; whoever gets here is logged in. */
char *login_shell(void) {
  const struct passwd *user = getpwuid(getuid());
  const char *shell = user == NULL || user->pw_shell == NULL || user->pw_shell[0] != '/' ? "/bin/sh" : user->pw_shell;
  const char *program = strrchr(shell, '/') + 1;
  bool refuses = strcmp(program, "nologin") == 0 || strcmp(program, "false") == 0;
  return must_have(strdup(refuses ? "/bin/sh" : shell));
}

int connect_to(const char *path) {
  return open_socket(path, SOCK_STREAM, connect);
}

int listen_for_word(const char *path) {
  unlink(path);
  return open_socket(path, SOCK_DGRAM | SOCK_NONBLOCK, bind);
}

void send_word(const char *path) {
  int link = open_socket(path, SOCK_DGRAM | SOCK_NONBLOCK, connect);
  if (link < 0) return;
  ssize_t sent = send(link, "", 1, MSG_NOSIGNAL);
  (void)sent;
  close(link);
}

static size_t add_strings(char *const *strings, char **to, size_t *room, uint32_t *count) {
  size_t total = 0;
  for (*count = 0; strings != NULL && strings[*count] != NULL; (*count)++) {
    size_t length = strlen(strings[*count]) + 1;
    total += length;
    if (length > *room) return SIZE_MAX;
    memcpy(*to, strings[*count], length);
    *to += length;
    *room -= length;
  }
  return total;
}

static bool send_request(int link, const char *bytes, size_t length, const int fds[3]) {
  union {
    char bytes[CMSG_SPACE(sizeof(int) * EXEC_DESCRIPTORS)];
    struct cmsghdr align;
  } control = {0};
  struct iovec piece = {.iov_base = (void *)bytes, .iov_len = length};
  struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int) * EXEC_DESCRIPTORS);
  memcpy(CMSG_DATA(header), fds, sizeof(int) * EXEC_DESCRIPTORS);
  while (piece.iov_len > 0) {
    ssize_t sent = sendmsg(link, &message, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return false;
    piece.iov_base = (char *)piece.iov_base + sent;
    piece.iov_len -= (size_t)sent;
    message.msg_control = NULL;
    message.msg_controllen = 0;
  }
  return true;
}

bool channel_open(struct channel *channel, const char *socket, const struct channel_request *request) {
  *channel = (struct channel){.fd = -1};
  char *bytes = must_have(malloc(EXEC_REQUEST_BYTES + EXEC_MOST_BYTES)), *to = bytes + EXEC_REQUEST_BYTES;
  const char *cwd = request->cwd == NULL ? "" : request->cwd;
  size_t room = EXEC_MOST_BYTES;
  uint32_t argc, envc, ignored;
  char *const directory[] = {(char *)cwd, NULL};
  bool fits = add_strings(directory, &to, &room, &ignored) != SIZE_MAX && add_strings(request->argv, &to, &room, &argc) != SIZE_MAX &&
    add_strings(request->env, &to, &room, &envc) != SIZE_MAX && argc <= EXEC_MOST_STRINGS && envc <= EXEC_MOST_STRINGS;
  if (fits) {
    uint8_t *head = (uint8_t *)bytes;
    head = put_u32(head, EXEC_MAGIC);
    head = put_u32(head, request->flags);
    head = put_u32(head, (uint32_t)(EXEC_MOST_BYTES - room));
    head = put_u32(head, argc);
    head = put_u32(head, envc);
    put_u32(head, request->grace_ms);
    channel->fd = connect_to(socket);
    if (channel->fd >= 0 && !send_request(channel->fd, bytes, (size_t)(to - bytes), request->fds)) {
      int error = errno;
      close(channel->fd);
      channel->fd = -1;
      errno = error;
    }
  } else {
    errno = E2BIG;
  }
  int error = errno;
  free(bytes);
  errno = error;
  return channel->fd >= 0;
}

static const char *refusal_in_words(uint32_t refusal) {
  switch (refusal) {
    case EXEC_NOT_ALLOWED: return "it belongs to another user";
    case EXEC_ENDING: return "the instance is being stopped";
    case EXEC_FROZEN: return "the instance is hibernated";
    case EXEC_TOO_MANY: return "as many commands as it takes are running there";
    default: return "it did not understand the request";
  }
}

static struct channel_end not_started(uint32_t step, int error) {
  static const char *const steps[] = {[EXEC_STEP_FORK] = "fork", [EXEC_STEP_TERMINAL] = "terminal", [EXEC_STEP_CWD] = "directory", [EXEC_STEP_EXEC] = "program"};
  int code = step != EXEC_STEP_EXEC ? 125 : error == ENOENT || error == ENOTDIR ? 127 : 126;
  const char *where = step < COUNT_OF(steps) && steps[step] != NULL ? steps[step] : "start";
  return (struct channel_end){.how = END_NOT_STARTED, .code = code, .why = format_text("%s: %s", where, strerror(error))};
}

/* True when the record ends it. */
static bool take_record(struct channel *channel, struct channel_end *end) {
  uint32_t kind = get_u32(channel->record), a = get_u32(channel->record + 4), b = get_u32(channel->record + 8);
  channel->filled = 0;
  switch (kind) {
    case EXEC_STARTED:
      channel->started = (pid_t)a;
      return false;
    case EXEC_FAILED:
      *end = not_started(a, (int)b);
      return true;
    case EXEC_REFUSED:
      *end = (struct channel_end){.how = END_NOT_STARTED, .code = 125, .why = refusal_in_words(a)};
      return true;
    case EXEC_EXITED:
      *end = (struct channel_end){.how = END_EXITED, .number = (int)a, .code = (int)a};
      return true;
    case EXEC_SIGNALLED:
      *end = (struct channel_end){.how = END_SIGNALLED, .number = (int)a, .code = 128 + (int)a};
      return true;
    default:
      *end = (struct channel_end){.how = END_GONE, .code = 255, .why = "it said something unknown"};
      return true;
  }
}

bool channel_read(struct channel *channel, struct channel_end *end) {
  for (;;) {
    ssize_t got = recv(channel->fd, channel->record + channel->filled, EXEC_REPLY_BYTES - channel->filled, MSG_DONTWAIT);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return false;
    if (got <= 0) {
      *end = (struct channel_end){.how = END_GONE, .code = 255, .why = "the instance has ended"};
      return true;
    }
    channel->filled += (size_t)got;
    if (channel->filled == EXEC_REPLY_BYTES && take_record(channel, end)) return true;
  }
}

void channel_signal(const struct channel *channel, int number) {
  uint8_t order[EXEC_ORDER_BYTES];
  put_u32(put_u32(order, EXEC_SIGNAL), (uint32_t)number);
  ssize_t sent = send(channel->fd, order, sizeof order, MSG_NOSIGNAL | MSG_DONTWAIT);
  (void)sent;
}

struct channel_end run_there(const char *socket, const struct channel_request *request) {
  struct channel channel;
  struct channel_end end;
  /* Before the command can say that it is there: a signal that answers it is passed on. */
  int signals = take_signals();
  if (!channel_open(&channel, socket, request)) {
    int error = errno;
    close(signals);
    give_signals_back();
    errno = error;
    const char *why = errno == E2BIG ? "the command line is too long" : errno == ENOENT || errno == ECONNREFUSED ? "it is not running" : strerror(errno);
    return (struct channel_end){.how = errno == E2BIG ? END_NOT_STARTED : END_GONE, .code = errno == E2BIG ? 126 : 255, .why = why};
  }
  for (;;) {
    struct pollfd watched[] = {{.fd = channel.fd, .events = POLLIN}, {.fd = signals, .events = POLLIN}};
    if (poll(watched, 2, -1) < 0 && errno != EINTR) fail(EXIT_FILES, "cannot wait: %s", strerror(errno));
    for (int number; (number = next_signal(signals)) != 0;) {
      if (is_passed_on(number)) channel_signal(&channel, number);
    }
    if (channel_read(&channel, &end)) break;
  }
  close(channel.fd);
  close(signals);
  give_signals_back();
  return end;
}
