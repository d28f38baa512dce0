import type {
  AlertsQueryInput,
  AlertsReply,
  AlertView,
  CreateAlertRequestInput,
  DeliveriesQueryInput,
  DeliveriesReply,
  DeliveryView,
} from '../api/alert.ts';
import type { CallOptions } from './connection.ts';
import { InstanceCalls } from './instance-calls.ts';
import { search } from './paths.ts';

/** Alerts: who is told of what, and what became of each message. */
export class AlertCalls extends InstanceCalls {
  /**
   * Lets somebody be told. A job that the filter names and that has ended already is told of at once. Not sent again when the link breaks: there would be
   * two. Errors: BAD_REQUEST for what contradicts itself and for channels that are not set up; NOT_PERMITTED for a command without the role admin.
   */
  createAlert(request: CreateAlertRequestInput, options?: CallOptions): Promise<AlertView> {
    return this.json('POST', '/v1/alerts', options, { body: request, repeatable: false });
  }

  /** Alerts of the caller, with `all: '1'` of everybody, newest first. `before: next` gives the next page. What is secret of a channel is not told. */
  alerts(query: AlertsQueryInput = {}, options?: CallOptions): Promise<AlertsReply> {
    return this.json('GET', `/v1/alerts${search(query)}`, options);
  }

  /** With what it has not sent yet. Errors: ALERT_NOT_FOUND; NOT_PERMITTED for that of another owner. */
  deleteAlert(id: number, options?: CallOptions): Promise<AlertView> {
    return this.json('DELETE', `/v1/alerts/${id}`, options);
  }

  /** Sends a test message; tells what became of it, or after 25 s that it is still being tried. Not sent again when the link breaks. Errors: as deleteAlert. */
  testAlert(id: number, options?: CallOptions): Promise<DeliveryView> {
    return this.json('POST', `/v1/alerts/${id}/test`, options, { repeatable: false });
  }

  /** What was told to whom, and what is still to be told, newest first; of the caller, with `all: '1'` of everybody. `before: next` gives the next page. */
  deliveries(query: DeliveriesQueryInput = {}, options?: CallOptions): Promise<DeliveriesReply> {
    return this.json('GET', `/v1/deliveries${search(query)}`, options);
  }
}
