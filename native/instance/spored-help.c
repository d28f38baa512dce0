#define _GNU_SOURCE
#include <string.h>

#include "spored.h"

static const char overview[] =
  "usage: spored VERB [options]\n"
  "\n"
  "The command inside an instance of spawn, and in every other task.\n"
  "\n"
  "In a task:\n"
  "  progress     say how much is done\n"
  "  checkpoint   keep bytes for the next attempt, or get them back\n"
  "  emit         give a file to the output of the job\n"
  "  result       give a JSON value as the result of the task\n"
  "  complete     say that the task has succeeded or failed\n"
  "\n"
  "In an instance:\n"
  "  complete     say that the work of this instance is done\n"
  "  status       tell how this instance is\n"
  "  wait-peers   wait until all members of the array run\n"
  "  config       read or change the settings of this instance\n"
  "  reload       have the agent read everything anew\n"
  "  queue        share items of work with the other members\n"
  "  rsh          run a command in another member\n"
  "  boot         run user-data and the command of an attempt (the agent calls it)\n"
  "  version      print the version\n"
  "  help         print this, or help on a VERB\n";

static const struct {
  const char *verb, *text;
} pages[] = {
  {"complete",
   "usage: spored complete [-s success|failed] [-m TEXT] [-f FILE]\n"
   "\n"
   "Says that the work of this instance, or of this task, is done. The first signal counts, whatever the process does then.\n"
   "\n"
   "  -s, --status success|failed  default: success\n"
   "  -m, --message TEXT           shown with the task; at most 4096 bytes, in a task 1000 characters\n"
   "  -f, --file FILE              written in place of /tmp/SPAWN_COMPLETE; in an instance only\n"},
  {"progress",
   "usage: spored progress FRACTION [MESSAGE]\n"
   "\n"
   "Says how much of this task is done: 0 to 1, or 0% to 100%. Shown with the task, the last word once a second.\n"},
  {"checkpoint",
   "usage: spored checkpoint put FILE|-\n"
   "       spored checkpoint get FILE|-\n"
   "\n"
   "Keeps at most 64 MiB for this task with the coordinator, in place of what was kept before; any attempt gets it back, on any machine.\n"
   "Exit code of get: 1 when there is none.\n"},
  {"emit",
   "usage: spored emit FILE [--as NAME]\n"
   "\n"
   "Gives a copy of a file to the output of the job, where it appears when this attempt has succeeded.\n"
   "\n"
   "  -a, --as NAME  relative, below the output; default: the last part of FILE\n"},
  {"result",
   "usage: spored result FILE|-\n"
   "\n"
   "Gives one JSON value of at most 1 MiB as the result of this task. The last one counts.\n"},
  {"status",
   "usage: spored status [-o text|json] [--check-complete]\n"
   "\n"
   "Tells how this instance is.\n"
   "\n"
   "  -o, --output text|json  default: text\n"
   "      --check-complete    only whether the work is done: exit code 0 complete, 1 failed, 2 running, 3 error\n"},
  {"wait-peers",
   "usage: spored wait-peers [--timeout D]\n"
   "\n"
   "Waits until the file of peers is there and whole: then all members of the array run. Exit code 1 when the time is over.\n"
   "\n"
   "  -t, --timeout D  as 90s or 5m; default: 60s\n"},
  {"config",
   "usage: spored config list [-o text|json]\n"
   "       spored config get KEY\n"
   "       spored config set KEY VALUE\n"
   "\n"
   "Reads or changes the settings of this instance.\n"
   "\n"
   "  KEY  ttl, idle-timeout, idle-cpu, on-complete, on-idle, completion-file, pre-stop, pre-stop-timeout\n"},
  {"reload", "usage: spored reload\n\nHas the agent read everything anew. Ends when it did.\n"},
  {"queue",
   "usage: spored queue push NAME ITEM...|-\n"
   "       spored queue take NAME [--wait D] [-o text|json]\n"
   "       spored queue done NAME ID\n"
   "       spored queue status NAME [-o text|json]\n"
   "\n"
   "A queue of the members of this array. Each item is done once; what a member took that died is ready again.\n"
   "take prints the id, a tab and the item; nothing when there is none.\n"
   "\n"
   "  -w, --wait D            how long take waits for an item; default: 0\n"
   "  -o, --output text|json  default: text\n"
   "  -                       items from standard input, a line each\n"},
  {"rsh",
   "usage: spored rsh [-l USER] [-t] [-n] HOST COMMAND...\n"
   "\n"
   "Runs a command in another member of the array, through its shell. HOST: its DNS name, name, address, instance id, or #INDEX.\n"
   "Exit code: that of the command; 255 when the member cannot be reached.\n"},
  {"boot",
   "usage: spored boot [-- COMMAND...]\n"
   "\n"
   "Runs user-data once in the life of this instance, then the command, or waits for the completion signal.\n"},
};

const char *help_of(const char *verb) {
  for (size_t i = 0; i < COUNT_OF(pages); i++) if (strcmp(pages[i].verb, verb) == 0) return pages[i].text;
  return overview;
}
