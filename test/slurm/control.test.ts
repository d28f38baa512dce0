import { compareSides } from './compare.ts';

compareSides(['queue', 'cancel', 'control', 'depend', 'life', 'sinfo']);
