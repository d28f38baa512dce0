import type { AlertChannel, CreateAlertRequestInput } from '../../src/api/alert.ts';
import { CreateAlertRequest } from '../../src/api/alert.ts';
import { AlertSender } from '../../src/coordinator/alerts/sender.ts';
import type { Caller } from '../../src/coordinator/use-cases.ts';
import type { Letter, Notifier, Sent } from '../../src/notify/notify.ts';
import { type AtHandOptions, CALLER, LedgerAtHand, WorkerAtHand } from './ledger-at-hand.ts';

/** Takes every message, and answers what a test tells it to. */
export class Mailbox implements Notifier {
  readonly mailDomain = 'example.org';
  readonly letters: (Letter & { readonly channel: AlertChannel })[] = [];
  answer: (letter: Letter) => Sent | Promise<Sent> = () => ({ kind: 'sent' });

  send: Notifier['send'] = async (channel, letter) => {
    this.letters.push({ ...letter, channel });
    return await this.answer(letter);
  };

  get subjects(): string[] {
    return this.letters.map(({ subject }) => subject);
  }
}

/** A coordinator that tells a mailbox, when a test lets it. */
export class AlertsAtHand {
  readonly mailbox = new Mailbox();
  at!: LedgerAtHand;
  worker!: WorkerAtHand;
  sender!: AlertSender;
  readonly errors: unknown[] = [];

  static async open(options: AtHandOptions = {}, sharedSecrets?: ReadonlySet<string>): Promise<AlertsAtHand> {
    const opened = new AlertsAtHand();
    const alerts = { notifier: opened.mailbox, ...(sharedSecrets === undefined ? {} : { sharedSecrets }) };
    opened.at = await LedgerAtHand.open({ alerts, ...options });
    opened.begin(alerts.notifier);
    return opened;
  }

  /** The sender of another coordinator. */
  begin(notifier: Notifier = this.mailbox): void {
    this.sender = new AlertSender(this.at.ledger, { notifier }, (error) => this.errors.push(error));
  }

  async restart(): Promise<void> {
    await this.at.restart();
    this.begin();
  }

  async create(request: Partial<CreateAlertRequestInput> = {}, caller: Caller = CALLER) {
    const body = CreateAlertRequest.parse({ channel: { kind: 'email', to: ['a@b.c'] }, events: ['ended'], ...request });
    return await this.at.coordinator.createAlert(caller, body);
  }

  /** All that is due is sent. */
  async send(): Promise<void> {
    await this.at.ledger.idle();
    for (let before = -1; before < this.mailbox.letters.length; ) {
      before = this.mailbox.letters.length;
      await this.sender.runOnce();
      await this.sender.settled();
    }
    await this.at.ledger.idle();
  }

  async pass(ms: number): Promise<void> {
    this.at.clock.pass(ms);
    await this.send();
  }

  /** Submits a job and ends its tasks, so many of them with exit code 3, the first ones. */
  async run(spec: Parameters<LedgerAtHand['submit']>[0], failing = 0): Promise<number> {
    const id = await this.at.submit(spec);
    await this.finish(id, failing);
    return id;
  }

  async finish(id: number, failing = 0): Promise<void> {
    this.worker ??= await WorkerAtHand.join(this.at, { resources: { cpus: 100, memoryBytes: 2 ** 30 } });
    await this.at.ledger.idle();
    const positions = [...this.worker.held.values()].filter(({ job }) => job === id).map(({ position }) => position);
    const bad = positions.filter((position) => position < failing);
    const good = positions.filter((position) => position >= failing);
    if (bad.length > 0) await this.worker.end(id, bad, 3);
    if (good.length > 0) await this.worker.end(id, good);
  }

  async history() {
    const { deliveries } = await this.at.coordinator.deliveries(CALLER, { all: '1', limit: 100 });
    return deliveries;
  }
}
