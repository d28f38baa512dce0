import type { InstanceState } from '../../api/instance.ts';
import type { Colour } from './color.ts';

export function colourOfInstance(state: InstanceState): Colour | undefined {
  switch (state) {
    case 'running':
      return 'green';
    case 'pending':
    case 'stopping':
    case 'shutting-down':
      return 'yellow';
    case 'stopped':
    case 'hibernated':
      return 'blue';
    case 'terminated':
      return 'dim';
  }
}
