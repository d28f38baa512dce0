import { compareSides } from './compare.ts';

compareSides(['arrays', 'script', 'options', 'output', 'environment', 'srun']);
