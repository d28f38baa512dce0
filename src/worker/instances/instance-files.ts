import type { PeersReply } from '../../api/instance.ts';
import type { MachineOrder } from '../../api/instance-session.ts';
import type { MachinePlaces } from '../../providers/provider.ts';

/** Lines `NAME='value'`, which a shell and the init of the instance read. */
export function environmentText(variables: ReadonlyMap<string, string>): string {
  return [...variables].map(([name, value]) => `${name}=${quoted(value)}\n`).join('');
}

/** One word of a shell, whatever is in it. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** What a login shell reads. Not in the file itself, which programs read that are no shell. */
export function profileText({ etc, bin }: MachinePlaces): string {
  const [file, own] = [quoted(`${etc}/environment`), quoted(bin)];
  return `set -a
[ ! -r ${file} ] || . ${file}
set +a
case ":$PATH:" in
  *:${own}:*) ;;
  *) PATH=${own}:$PATH ;;
esac
`;
}

export function instanceText(order: MachineOrder, size: number): string {
  return `${JSON.stringify({
    instance_id: order.id,
    name: order.name,
    array_id: order.arrayId,
    array_name: order.arrayName,
    index: order.index,
    size,
    rank: order.rank,
    region: order.region,
    availability_zone: order.zone,
    instance_type: order.type.name,
    dns: order.dns,
    address: order.address,
    tags: order.tags,
  })}\n`;
}

/**
 * @param outside the text of the machine's own file: names elsewhere go on resolving
 */
export function resolvText({ dnsServer, dnsSuffix }: MachineOrder, outside: string): string {
  const lines = outside.split('\n').filter((line) => /^\s*(nameserver|options)\s/.test(line));
  // The file has no place for another port than 53.
  const own = dnsServer?.port === 53 ? [`nameserver ${dnsServer.address}`] : [];
  return `${[`search ${dnsSuffix}`, ...own, ...lines].join('\n')}\n`;
}

const LOCAL_HOSTS = '127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n';

/** While no other member is known. */
export function ownHostsText({ address, dns, name, groupDns }: MachineOrder): string {
  return `${LOCAL_HOSTS}${hostLine(address, dns, name, groupDns)}`;
}

export function hostsText({ groupDns }: MachineOrder, members: PeersReply['members']): string {
  return `${LOCAL_HOSTS}${members.map(({ privateIp, dns, name }) => hostLine(privateIp, dns, name, groupDns)).join('')}`;
}

function hostLine(address: string, dns: string, name: string, groupDns: string): string {
  const names = new Set([dns, dns.split('.')[0]!, name, groupDns].filter((text) => text !== ''));
  return `${address} ${[...names].join(' ')}\n`;
}

/** `/etc/spawn/job-array-peers.json`: in order of index. */
export function peersText(members: PeersReply['members']): string {
  const sorted = members.toSorted((a, b) => a.index - b.index);
  return `${JSON.stringify(
    sorted.map(({ index, id, ip, privateIp, dns }) => ({ index, instance_id: id, ip, private_ip: privateIp, dns })),
  )}\n`;
}

/** DNS names, or addresses where those resolve nowhere, one a line, in order of rank. */
export function hostfileText(members: PeersReply['members'], by: 'dns' | 'privateIp'): string {
  return members
    .toSorted((a, b) => a.rank - b.rank)
    .map((member) => `${member[by]}\n`)
    .join('');
}
