#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spored-queue.h"

/* Numbers are reserved so many at a time: what a killed push has not used is skipped. */
#define RESERVED_AT_ONCE 1000
/* Of the ready items, how many of the oldest are tried before the directory is read anew. */
#define MOST_TRIED 64

struct pusher {
  char *queue, *next_path;
  int lock, ready, fresh;
  uint64_t next, reserved;
  size_t pushed, waiting;
};

__attribute__((noreturn)) static void broken(const char *path) {
  fail(EXIT_FILES, "%s: %s", path, strerror(errno));
}

char *queue_part(const char *queue, const char *part) {
  return format_text("%s/%s", queue, part);
}

static void make_directory(const char *path) {
  if (mkdir(path, 0700) != 0 && errno != EEXIST) broken(path);
}

char *open_queue(const char *name) {
  size_t length = strlen(name);
  bool fits = length >= 1 && length <= 64 && name[0] != '.';
  for (size_t i = 0; i < length; i++) fits = fits && (isalnum((unsigned char)name[i]) || strchr("._-", name[i]) != NULL);
  if (!fits) fail(EXIT_WRONG, "NAME: expected at most 64 letters, digits, '.', '_' and '-', the first no '.', found %s", quoted(name));
  must_be_inside();
  struct stat found;
  char *peers = run_path("peers");
  /* An instance that has no members beside it keeps its queues for itself. */
  char *all = stat(peers, &found) == 0 ? format_text("%s/.queue", peers) : run_path("queue");
  make_directory(all);
  char *queue = format_text("%s/%s", all, name);
  static const char *const parts[] = {"", "ready", "taken", "done", "fresh"};
  for (size_t i = 0; i < COUNT_OF(parts); i++) make_directory(queue_part(queue, parts[i]));
  free(all);
  free(peers);
  return queue;
}

static size_t count_files(const char *queue, const char *part) {
  char *path = queue_part(queue, part);
  DIR *directory = opendir(path);
  if (directory == NULL) broken(path);
  size_t count = 0;
  for (const struct dirent *entry; (entry = readdir(directory)) != NULL;) count += entry->d_name[0] != '.';
  closedir(directory);
  free(path);
  return count;
}

static int open_directory(const char *queue, const char *part) {
  char *path = queue_part(queue, part);
  int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) broken(path);
  free(path);
  return directory;
}

struct pusher *begin_push(const char *queue) {
  struct pusher *pusher = must_have(calloc(1, sizeof *pusher));
  char *lock = queue_part(queue, "lock");
  pusher->queue = must_have(strdup(queue));
  pusher->next_path = queue_part(queue, "next");
  pusher->lock = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (pusher->lock < 0 || flock(pusher->lock, LOCK_EX) != 0) broken(lock);
  free(lock);
  char *text = read_whole(pusher->next_path, 64, NULL);
  if (text == NULL && errno != ENOENT) broken(pusher->next_path);
  pusher->next = pusher->reserved = text == NULL ? 1 : strtoull(text, NULL, 10);
  pusher->ready = open_directory(queue, "ready");
  pusher->fresh = open_directory(queue, "fresh");
  pusher->waiting = count_files(queue, "ready") + count_files(queue, "taken");
  return pusher;
}

static void reserve(const struct pusher *pusher, uint64_t next) {
  char text[32];
  int length = snprintf(text, sizeof text, "%llu\n", (unsigned long long)next);
  if (!write_whole(pusher->next_path, text, (size_t)length, false)) broken(pusher->next_path);
}

void push_item(struct pusher *pusher, const char *item, size_t length) {
  if (pusher->waiting >= MAX_ITEMS) fail(EXIT_NOT, "expected at most %d items that are not done, found one more; %zu were pushed", MAX_ITEMS, pusher->pushed);
  if (pusher->next == pusher->reserved) reserve(pusher, pusher->reserved += RESERVED_AT_ONCE);
  char name[32];
  snprintf(name, sizeof name, "%010llu", (unsigned long long)pusher->next++);
  int file = openat(pusher->fresh, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  bool done = file >= 0 && write(file, item, length) == (ssize_t)length;
  int error = errno == 0 ? ENOSPC : errno;
  if (file >= 0 && close(file) != 0) done = false;
  if (!done || renameat(pusher->fresh, name, pusher->ready, name) != 0) {
    unlinkat(pusher->fresh, name, 0);
    fail(EXIT_FILES, "%s: %s; %zu were pushed", pusher->queue, strerror(done ? errno : error), pusher->pushed);
  }
  pusher->pushed++;
  pusher->waiting++;
}

size_t end_push(struct pusher *pusher) {
  if (pusher->reserved != pusher->next) reserve(pusher, pusher->next);
  close(pusher->lock);
  return pusher->pushed;
}

struct oldest {
  char names[MOST_TRIED][16];
  size_t count;
};

/* The names of the oldest ready items, oldest first. */
static void find_oldest(const char *path, struct oldest *oldest) {
  DIR *directory = opendir(path);
  if (directory == NULL) broken(path);
  oldest->count = 0;
  for (const struct dirent *entry; (entry = readdir(directory)) != NULL;) {
    if (entry->d_name[0] == '.' || strlen(entry->d_name) >= sizeof oldest->names[0]) continue;
    bool full = oldest->count == MOST_TRIED;
    if (full && strcmp(entry->d_name, oldest->names[MOST_TRIED - 1]) >= 0) continue;
    size_t at = full ? MOST_TRIED - 1 : oldest->count++;
    for (; at > 0 && strcmp(entry->d_name, oldest->names[at - 1]) < 0; at--) strcpy(oldest->names[at], oldest->names[at - 1]);
    strcpy(oldest->names[at], entry->d_name);
  }
  closedir(directory);
}

bool take_item(const char *queue, uint64_t *number, char **item) {
  char *ready = queue_part(queue, "ready");
  struct oldest oldest;
  bool taken = false;
  do {
    find_oldest(ready, &oldest);
    for (size_t i = 0; i < oldest.count && !taken; i++) {
      char *from = format_text("%s/%s", ready, oldest.names[i]), *to = format_text("%s/taken/%s~%s", queue, own_session(), oldest.names[i]);
      if (rename(from, to) == 0) {
        taken = true;
        *number = strtoull(oldest.names[i], NULL, 10);
        *item = read_whole(to, MAX_ITEM_BYTES, NULL);
        if (*item == NULL) broken(to);
      } else if (errno != ENOENT) {
        broken(to);
      }
      free(from);
      free(to);
    }
  } while (!taken && oldest.count > 0);
  free(ready);
  return taken;
}

struct names {
  char **list;
  size_t count, room;
};

static int by_name(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

static struct names list_taken(const char *queue) {
  struct names names = {0};
  char *path = queue_part(queue, "taken");
  DIR *directory = opendir(path);
  if (directory == NULL) broken(path);
  for (const struct dirent *entry; (entry = readdir(directory)) != NULL;) {
    if (strrchr(entry->d_name, '~') == NULL) continue;
    if (names.count == names.room) names.list = must_have(realloc(names.list, (names.room = names.room == 0 ? 64 : names.room * 2) * sizeof *names.list));
    names.list[names.count++] = must_have(strdup(entry->d_name));
  }
  closedir(directory);
  free(path);
  if (names.count > 1) qsort(names.list, names.count, sizeof *names.list, by_name);
  return names;
}

static void free_names(struct names *names) {
  for (size_t i = 0; i < names->count; i++) free(names->list[i]);
  free(names->list);
}

static uint64_t number_of(const char *name) {
  return strtoull(strrchr(name, '~') + 1, NULL, 10);
}

bool finish_item(const char *queue, uint64_t number, const char **why) {
  struct names taken = list_taken(queue);
  bool done = false;
  *why = "it is not taken";
  for (size_t i = 0; i < taken.count && !done; i++) {
    if (number_of(taken.list[i]) != number) continue;
    if (!is_own(taken.list[i])) {
      *why = format_text("%.*s holds it", (int)strcspn(taken.list[i], "~"), taken.list[i]);
      continue;
    }
    char *from = format_text("%s/taken/%s", queue, taken.list[i]), *to = format_text("%s/done/%010llu", queue, (unsigned long long)number);
    done = rename(from, to) == 0;
    if (!done && errno != ENOENT) broken(from);
    free(from);
    free(to);
  }
  free_names(&taken);
  char *path = format_text("%s/done/%010llu", queue, (unsigned long long)number);
  if (!done && access(path, F_OK) == 0) *why = "it is done already";
  free(path);
  return done;
}

size_t give_back(const char *queue) {
  struct names taken = list_taken(queue);
  size_t given = 0;
  char *owner = NULL;
  bool lives = true;
  for (size_t i = 0; i < taken.count; i++) {
    size_t length = (size_t)(strrchr(taken.list[i], '~') - taken.list[i]);
    /* Sorted, so each owner is looked at once. */
    if (owner == NULL || strlen(owner) != length || strncmp(owner, taken.list[i], length) != 0) {
      free(owner);
      owner = must_have(strndup(taken.list[i], length));
      lives = owner_lives(owner);
    }
    if (lives) continue;
    char *from = format_text("%s/taken/%s", queue, taken.list[i]), *to = format_text("%s/ready/%s", queue, taken.list[i] + length + 1);
    if (rename(from, to) == 0) given++;
    else if (errno != ENOENT) broken(from);
    free(from);
    free(to);
  }
  free(owner);
  free_names(&taken);
  return given;
}

void ask_holders(const char *queue, const char *name) {
  struct names taken = list_taken(queue);
  char *asked = must_have(strdup(""));
  for (size_t i = 0; i < taken.count; i++) {
    char *member = must_have(strndup(taken.list[i], strcspn(taken.list[i], "~")));
    if (!is_own(taken.list[i]) && strcmp(asked, member) != 0) {
      char *const argv[] = {"spored", "queue", "status", (char *)name, NULL};
      int null = open("/dev/null", O_RDWR | O_CLOEXEC);
      const struct channel_request request = {.argv = argv, .cwd = "/", .fds = {null, null, null}, .grace_ms = 1000};
      char *socket = member_socket(member);
      (void)run_there(socket, &request);
      free(socket);
      close(null);
    }
    free(asked);
    asked = member;
  }
  free(asked);
  free_names(&taken);
}

struct counts count_items(const char *queue) {
  struct names taken = list_taken(queue);
  struct counts counts = {.ready = count_files(queue, "ready"), .taken = taken.count, .done = count_files(queue, "done")};
  counts.held = must_have(calloc(taken.count + 1, sizeof *counts.held));
  for (size_t i = 0; i < taken.count; i++) {
    counts.held[i] = (struct held){.number = number_of(taken.list[i]), .instance = must_have(strndup(taken.list[i], strcspn(taken.list[i], "~")))};
  }
  free_names(&taken);
  return counts;
}
