#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exec-protocol.h"
#include "spored.h"

#define GRACE_MS 10000

/* ssh(1): options without and with a value that only concern a network connection or what is said about it. */
static const char *const NO_MEANING = "1246AaCgKkMqvXxYy", *const NO_MEANING_WITH_VALUE = "BbcEeFIimOopPQS";
/* Those that make something else of it than a command there. */
static const char *const OTHER_WORK = "DGJLNRVWw";

struct call {
  const char *user, *host;
  bool terminal, no_terminal, no_input, subsystem;
  const char *unknown; /* an option that cannot be honoured; NULL: none */
  char **command;
  int words;
};

/* The command line of ssh; options may also stand after the host, before the command. False: not one. */
static bool read_call(int argc, char **argv, struct call *call) {
  *call = (struct call){0};
  int i = 0;
  for (; i < argc; i++) {
    const char *word = argv[i];
    if (word[0] != '-' || word[1] == '\0') {
      if (call->host != NULL) break;
      call->host = word;
      continue;
    }
    if (strcmp(word, "--") == 0) {
      i++;
      if (call->host == NULL && i < argc) call->host = argv[i++];
      break;
    }
    for (const char *letter = word + 1; *letter != '\0'; letter++) {
      if (*letter == 't') call->terminal = true;
      else if (*letter == 'T') call->no_terminal = true;
      else if (*letter == 'n' || *letter == 'f') call->no_input = true;
      else if (*letter == 's') call->subsystem = true;
      else if (strchr(NO_MEANING, *letter) != NULL) continue;
      else if (*letter == 'l' || strchr(NO_MEANING_WITH_VALUE, *letter) != NULL) {
        const char *value = letter[1] != '\0' ? letter + 1 : i + 1 < argc ? argv[++i] : NULL;
        if (value == NULL) return false;
        if (*letter == 'l') call->user = value;
        break;
      } else {
        if (strchr(OTHER_WORK, *letter) == NULL) return false;
        call->unknown = word;
        if (strchr("DJLRWw", *letter) != NULL && letter[1] == '\0') i++;
        break;
      }
    }
  }
  call->command = argv + i;
  call->words = argc - i;
  /* A login is for a person. */
  if (call->words == 0 && !call->no_input && !call->no_terminal) call->terminal = true;
  if (call->host == NULL) return true;
  const char *host = call->host;
  if (strncmp(host, "ssh://", 6) == 0) host += 6;
  const char *at = strrchr(host, '@');
  if (at != NULL) {
    if (call->user == NULL) call->user = must_have(strndup(host, (size_t)(at - host)));
    host = at + 1;
  }
  call->host = host;
  return true;
}

/* The words joined with blanks, as ssh does: the shell there splits them again. */
static char *joined(int count, char **words) {
  size_t room = 1;
  for (int i = 0; i < count; i++) room += strlen(words[i]) + 1;
  char *line = must_have(malloc(room)), *to = line;
  for (int i = 0; i < count; i++) to += sprintf(to, "%s%s", i == 0 ? "" : " ", words[i]);
  *to = '\0';
  return line;
}

static void check_user(const char *user) {
  const struct passwd *own = getpwuid(getuid());
  if (user == NULL || (own != NULL && strcmp(own->pw_name, user) == 0)) return;
  /* Images of clouds have such a user; here an instance has one user, and scripts written there name it. */
  if (strcmp(user, "ec2-user") == 0 || strcmp(user, "ubuntu") == 0) return;
  fail(EXIT_NO_MEMBER, "-l: expected %s, the user of these instances, found %s", own == NULL ? "your own name" : own->pw_name, quoted(user));
}

static int run_in(const struct member *member, const struct call *call) {
  check_user(call->user);
  if (call->unknown != NULL) fail(EXIT_NO_MEMBER, "%s: expected a command to run in a member, which has no network of its own", call->unknown);
  char *socket = member_socket(member->instance_id);
  char *shell = login_shell(), *line = joined(call->words, call->command);
  char *const with_command[] = {shell, "-c", line, NULL}, *const login[] = {shell, NULL};
  char *const sftp[] = {"/usr/lib/openssh/sftp-server", NULL};
  bool input = !call->no_input && !call->terminal;
  int null = input ? -1 : open("/dev/null", O_RDONLY | O_CLOEXEC);
  struct channel_request request = {
    .argv = call->subsystem ? sftp : call->words > 0 ? with_command : login,
    .fds = {call->no_input ? null : 0, 1, 2},
    .flags = call->words == 0 ? EXEC_LOGIN_SHELL : 0,
    .grace_ms = GRACE_MS,
  };
  struct channel_end end = call->terminal && isatty(0) ? run_on_terminal(socket, &request) : run_there(socket, &request);
  if (end.why != NULL) say("%s: %s", member->name, end.why);
  return end.code;
}

static struct member *find(const char *host, const char **why) {
  size_t count;
  struct member *members = read_members(&count, why);
  if (members == NULL) return NULL;
  ssize_t found = find_member(members, count, host);
  if (found >= 0) return &members[found];
  *why = format_text("expected a member of this array, found no %s among %zu", quoted(host), count);
  return NULL;
}

int run_rsh(int argc, char **argv) {
  struct call call;
  if (argc == 1 && (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0)) {
    fputs(help_of("rsh"), stdout);
    finish_output();
    return EXIT_DONE;
  }
  if (!read_call(argc, argv, &call)) fail(EXIT_WRONG, "expected options as of ssh, found others; see: spored help rsh");
  if (call.host == NULL) fail(EXIT_WRONG, "expected a HOST, found none");
  must_be_inside();
  const char *why = NULL;
  const struct member *member = find(call.host, &why);
  if (member == NULL) fail(EXIT_NO_MEMBER, "%s", why);
  return run_in(member, &call);
}

/* The first program of that name in PATH that is not this one, which is seen in several places and is a link to `spored` in each. */
__attribute__((noreturn)) static void become(const char *name, char **argv, const char *who) {
  char found[PATH_MAX];
  const char *path = getenv("PATH");
  for (const char *from = path == NULL ? "/usr/bin:/bin" : path; *from != '\0';) {
    size_t length = strcspn(from, ":");
    char *candidate = format_text("%.*s/%s", (int)length, from, name);
    bool real = length > 0 && realpath(candidate, found) != NULL && strcmp(strrchr(found, '/'), "/spored") != 0;
    if (real && access(candidate, X_OK) == 0) {
      signal(SIGPIPE, SIG_DFL);
      execv(candidate, argv);
      fail(EXIT_NO_MEMBER, "%s: %s", candidate, strerror(errno));
    }
    free(candidate);
    from += length + (from[length] == ':');
  }
  fail(EXIT_NO_MEMBER, "%sno other %s is in PATH", who, name);
}

int run_as_ssh(int argc, char **argv) {
  struct call call;
  const char *why;
  verb_name = "rsh";
  if (is_inside() && read_call(argc - 1, argv + 1, &call) && call.host != NULL) {
    const struct member *member = find(call.host, &why);
    if (member != NULL) return run_in(member, &call);
  }
  become("ssh", argv, "this host is no member of the array, and ");
}

/* These look for ssh in one place, and not in PATH: they are told of ours. */
int run_as_copy(const char *name, int argc, char **argv) {
  char own[PATH_MAX];
  ssize_t length = readlink("/proc/self/exe", own, sizeof own - 1);
  verb_name = name;
  if (length <= 0) fail(EXIT_NO_MEMBER, "/proc/self/exe: %s", strerror(errno));
  own[length] = '\0';
  *strrchr(own, '/') = '\0';
  char **words = must_have(calloc((size_t)argc + 3, sizeof *words));
  words[0] = argv[0];
  words[1] = "-S";
  words[2] = format_text("%s/ssh", own);
  for (int i = 1; i < argc; i++) words[i + 2] = argv[i];
  become(name, words, "");
}
