#define _GNU_SOURCE
#include <string.h>

#include "spored.h"

static const char overview[] =
  "usage: spored VERB [options]\n"
  "\n"
  "The command inside an instance of spawn.\n"
  "\n"
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
   "Says that the work of this instance is done. The first signal counts.\n"
   "\n"
   "  -s, --status success|failed  default: success\n"
   "  -m, --message TEXT           shown with the task; at most 4096 bytes\n"
   "  -f, --file FILE              written in place of /tmp/SPAWN_COMPLETE\n"},
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
