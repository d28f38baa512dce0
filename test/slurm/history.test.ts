import { compareSides } from './compare.ts';

compareSides(['sacct', 'sinfo', 'srun', 'clients'], { accounting: true });
