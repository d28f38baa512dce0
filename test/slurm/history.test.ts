import { compareSides } from './compare.ts';

compareSides(['sacct', 'clients', 'programs']);
