import { SCONTROL_OPTIONS } from '../../../config/slurm/query-options.ts';

/** What scontrol is, for its help. */
export const DESCRIPTION = {
  command: 'scontrol' as const,
  usage: ['[options] [command]'],
  about:
    'Shows and changes jobs. Without a command it reads one a line from standard input, until quit or the end.\n\n' +
    'Commands, any case, cut short as long as they are unique:\n' +
    '  show ENTITY [ID]             job, step, node, partition, config, hostnames, hostlist, …\n' +
    '  update JobId=LIST KEY=VALUE  change jobs, tasks (12_7) and ranges of them (12_[1-3])\n' +
    '  hold, uhold, release LIST    start no more of them; undo it\n' +
    '  suspend, resume LIST         stop what runs; let it go on\n' +
    '  requeue, requeuehold LIST    run again; `requeue incomplete LIST`: only what runs\n' +
    '  top LIST                     before all others of the same user\n' +
    '  write batch_script ID [FILE] the script of a job; FILE - is standard output\n' +
    '  wait_job ID, listpids [ID], pidinfo PID, ping, version, help, exit, quit',
  options: SCONTROL_OPTIONS,
};
