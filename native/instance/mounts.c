#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "machine.h"

/* The directories below which an instance sees something of its own; a path of the agent that lies there is bound in. */
static const char *const covered[] = {"/tmp", "/var/log", "/run", "/dev/shm"};
static const char *const own_names[] = {"tmp", "log", "spawn", "run"};
enum own { OWN_TMP, OWN_LOG, OWN_SPAWN, OWN_RUN };

bool etc_is_overlay = true;

static bool lies_in(const char *path, const char *folder) {
  size_t length = strlen(folder);
  return strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

static bool is_covered(const char *path) {
  for (size_t i = 0; i < sizeof covered / sizeof *covered; i++) {
    if (lies_in(path, covered[i])) return true;
  }
  return false;
}

static int open_folder(int at, const char *path) {
  return openat(at, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

void mounts_open(const struct conf *conf, int folder, struct places *places) {
  places->folder = folder;
  for (size_t i = 0; i < 4; i++) {
    places->own[i] = open_folder(folder, own_names[i]);
    if (places->own[i] < 0) fail_step("open", own_names[i]);
  }
  places->bin = open_folder(AT_FDCWD, conf->bin);
  if (places->bin < 0) fail_step("open", conf->bin);
  places->peers = open_folder(AT_FDCWD, conf->peers);
  if (places->peers < 0) fail_step("open", conf->peers);
  /* A directory to work in that is not there fails the task, not the machine. */
  places->cwd = conf->cwd != NULL && is_covered(conf->cwd) ? open_folder(AT_FDCWD, conf->cwd) : -1;
  for (size_t i = 0; i < conf->visible_count; i++) {
    places->visible[i] = -1;
    if (!is_covered(conf->visible[i])) continue;
    places->visible[i] = open_folder(AT_FDCWD, conf->visible[i]);
    if (places->visible[i] < 0) fail_step("open", conf->visible[i]);
  }
}

static const char *path_of(int fd) {
  static char paths[2][40];
  static int turn;
  turn = !turn;
  snprintf(paths[turn], sizeof paths[turn], "/proc/self/fd/%d", fd);
  return paths[turn];
}

/* Whole trees: a part of one that has mounts below it may not be bound alone in a user namespace. */
static void bind_folder(int from, const char *to, const char *step) {
  if (mount(path_of(from), to, NULL, MS_BIND | MS_REC, NULL) != 0) fail_step(step, to);
}

static void make_folder(const char *path, mode_t mode) {
  if (mkdir(path, mode) != 0 && errno != EEXIST) fail_step("make directory", path);
}

/* Makes `path` (absolute) below `root` and its parents. */
static void make_folders(const char *root, const char *path, char made[PATH_MAX * 2]) {
  int length = snprintf(made, PATH_MAX * 2, "%s%s", root, path);
  for (char *at = made + strlen(root) + 1; at <= made + length; at++) {
    if (*at != '/' && *at != '\0') continue;
    char kept = *at;
    *at = '\0';
    make_folder(made, 0755);
    *at = kept;
  }
}

/* In `to`, a link to each entry of `from` that `to` has not. */
static void link_entries(const char *from, const char *to, const char *prefix) {
  DIR *entries = opendir(from);
  if (entries == NULL) return;
  for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    char at[PATH_MAX], target[PATH_MAX];
    snprintf(at, sizeof at, "%s/%s", to, entry->d_name);
    snprintf(target, sizeof target, "%s/%s", prefix, entry->d_name);
    if (symlink(target, at) != 0 && errno != EEXIST) fail_step("link", at);
  }
  closedir(entries);
}

/* Where /run is made, in the directory of the instance. */
#define RUN "tmp"

/* A directory of /run/spawn that is no directory on the disk: a link in it leads to the file system in memory. */
static void show(const char *name) {
  char at[64], target[64];
  make_folder(RUN "/.spawn", 0755);
  snprintf(at, sizeof at, RUN "/.spawn/%s", name);
  make_folder(at, 0755);
  snprintf(at, sizeof at, RUN "/spawn/%s", name);
  snprintf(target, sizeof target, "../.spawn/%s", name);
  if (symlink(target, at) != 0 && errno != EEXIST) fail_step("link", at);
}

static void bind_shown(int from, const char *name) {
  char at[64];
  show(name);
  snprintf(at, sizeof at, RUN "/.spawn/%s", name);
  bind_folder(from, at, "bind");
}

/* What all members of an array read: none of them may change it. */
static void bind_array_files(void) {
  const char *at = RUN "/.spawn/peers/.files";
  struct statvfs is;
  make_folder(at, 0755);
  if (mount(at, at, NULL, MS_BIND | MS_REC, NULL) != 0) fail_step("bind", at);
  /* What the mount outside does not allow stays so, in a user namespace. */
  unsigned long kept = statvfs(at, &is) == 0 ? is.f_flag & (ST_NOSUID | ST_NODEV | ST_NOEXEC) : 0;
  if (mount(NULL, at, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | kept, NULL) != 0) note("the files of the array can be changed from inside: %s", strerror(errno));
}

/* Its own /run, so that /run/spawn needs no place in the one outside; what is there is linked from it. */
static void make_run(const struct conf *conf, const struct places *places) {
  /* Until it is moved, it covers what is reached through a descriptor. */
  if (mount("spawn", RUN, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755,size=16m") != 0) fail_step("mount tmpfs", "/run");
  make_folder(RUN "/.outside", 0755);
  if (mount("/run", RUN "/.outside", NULL, MS_BIND | MS_REC, NULL) != 0) fail_step("bind", "/run/.outside");
  link_entries("/run", RUN, ".outside");
  /* One of an instance around this one, or of another program. */
  if (unlink(RUN "/spawn") != 0 && errno != ENOENT) fail_step("make directory", "/run/spawn");
  make_folder(RUN "/spawn", 0755);
  bind_folder(places->own[OWN_RUN], RUN "/spawn", "bind");
  bind_shown(places->bin, "bin");
  bind_shown(places->peers, "peers");
  bind_array_files();
  if (conf->visible_count > 0) show("outside");
  for (size_t i = 0; i < conf->visible_count; i++) {
    if (places->visible[i] < 0) continue;
    char made[PATH_MAX * 2];
    make_folders(RUN "/.spawn/outside", conf->visible[i], made);
    bind_folder(places->visible[i], made, "bind");
  }
}

/* What leads out of /etc; the array is seen from outside under the same name beside /etc/spawn (sandbox-paths.ts). */
static const struct {
  const char *name, *target;
} etc_links[] = {{"hosts", "spawn/hosts"},
                 {"hostname", "spawn/hostname"},
                 {"resolv.conf", "spawn/resolv.conf"},
                 {"profile.d/job-array.sh", "../spawn/job-array.sh"},
                 {".spawn-array", "../run/spawn/peers"}};

/* A layer of /etc with nothing but what leads out of it; in memory, below the own /run. */
static void make_etc_layer(void) {
  make_folder(RUN "/.spawn/etc", 0755);
  make_folder(RUN "/.spawn/etc/spawn", 0755);
  make_folder(RUN "/.spawn/etc/profile.d", 0755);
  for (size_t i = 0; i < sizeof etc_links / sizeof *etc_links; i++) {
    char at[96];
    snprintf(at, sizeof at, RUN "/.spawn/etc/%s", etc_links[i].name);
    if (symlink(etc_links[i].target, at) != 0 && errno != EEXIST) fail_step("link", at);
  }
}

/* Where the kernel takes no overlay: a directory of links to what is outside. */
static void link_etc(void) {
  make_folder("etc/.outside", 0755);
  make_folder("etc/spawn", 0755);
  make_folder("etc/profile.d", 0755);
  for (size_t i = 0; i < sizeof etc_links / sizeof *etc_links; i++) {
    char at[64];
    snprintf(at, sizeof at, "etc/%s", etc_links[i].name);
    if (symlink(etc_links[i].target, at) != 0 && errno != EEXIST) fail_step("link", at);
  }
  link_entries("/etc", "etc", ".outside");
  link_entries("/etc/profile.d", "etc/profile.d", "../.outside/profile.d");
  /* In this order: what is bound takes along what is mounted in it. */
  if (mount("/etc", "etc/.outside", NULL, MS_BIND | MS_REC, NULL) != 0) fail_step("bind", "/etc/.outside");
  if (mount("etc", "/etc", NULL, MS_BIND | MS_REC, NULL) != 0) fail_step("bind", "/etc");
}

/* `volatile`: without it the kernel writes back the whole disk when an instance ends. It leaves a mark that has to go before the next mount. */
static bool overlay(const char *lower, const char *upper, const char *work, const char *at, const char *more) {
  static const char *const kinds[] = {",volatile", ""};
  char mark[64], options[512];
  snprintf(mark, sizeof mark, "%s/work/incompat/volatile", work);
  rmdir(mark);
  snprintf(mark, sizeof mark, "%s/work/incompat", work);
  rmdir(mark);
  for (size_t i = 0; i < 2; i++) {
    snprintf(options, sizeof options, "lowerdir=%s,upperdir=%s,workdir=%s%s%s", lower, upper, work, more, kinds[i]);
    if (mount("spawn", at, "overlay", 0, options) == 0) return true;
  }
  return false;
}

static void make_etc(const struct places *places, bool own_user_namespace) {
  const char *more = own_user_namespace ? ",userxattr" : "";
  make_etc_layer();
  etc_is_overlay = overlay(RUN "/.spawn/etc:/etc", "etc", "etc-work", "/etc", more);
  if (!etc_is_overlay) {
    note("no overlay for /etc (%s): it is a directory of links to the one outside", strerror(errno));
    link_etc();
  }
  bind_folder(places->own[OWN_SPAWN], "/etc/spawn", "bind");
  char lower[64];
  snprintf(lower, sizeof lower, "%s:/usr/local/bin", path_of(places->bin));
  if (access("/usr/local/bin", F_OK) == 0 && !overlay(lower, "bin", "bin-work", "/usr/local/bin", more)) {
    note("no overlay for /usr/local/bin (%s): spored is in /run/spawn/bin alone", strerror(errno));
  }
}

void mounts_make(const struct conf *conf, const struct places *places, bool own_user_namespace) {
  if (fchdir(places->folder) != 0) fail_step("open", "the directory of the instance");
  /* What is mounted outside later appears, nothing that is mounted here leaves. */
  if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) != 0) fail_step("separate mounts", "/");
  make_run(conf, places);
  make_etc(places, own_user_namespace);
  bind_folder(places->own[OWN_LOG], "/var/log", "bind");
  if (mount(RUN, "/run", NULL, MS_MOVE, NULL) != 0) fail_step("move", "/run");
  if (mount("spawn", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777") != 0) fail_step("mount tmpfs", "/dev/shm");
  bind_folder(places->own[OWN_TMP], "/tmp", "bind");
  /* /tmp itself is its own. */
  if (places->cwd >= 0 && strcmp(conf->cwd, "/tmp") != 0) {
    char made[PATH_MAX * 2];
    make_folders("", conf->cwd, made);
    bind_folder(places->cwd, made, "bind");
  }
  if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) != 0) fail_step("mount proc", "/proc");
}
