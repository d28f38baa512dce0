import {
  AlertParams,
  AlertsQuery,
  AlertsReply,
  AlertView,
  CreateAlertRequest,
  DeliveriesQuery,
  DeliveriesReply,
  DeliveryView,
} from '../../api/alert.ts';
import { ErrorReply } from '../../api/job.ts';
import type { App, Doors } from '../app.ts';
import { callerOf } from '../caller.ts';

/** Who is told of what. */
export function alertRoutes(app: App, { useCases }: Doors): void {
  app.post(
    '/v1/alerts',
    {
      config: { role: 'submit' },
      schema: {
        operationId: 'createAlert',
        summary: 'Let somebody be told of what happens',
        body: CreateAlertRequest,
        response: { 200: AlertView, default: ErrorReply },
      },
    },
    (request) => useCases.createAlert(callerOf(request), request.body),
  );

  app.get(
    '/v1/alerts',
    {
      config: { role: 'read' },
      schema: {
        operationId: 'alerts',
        summary: 'List alerts',
        querystring: AlertsQuery,
        response: { 200: AlertsReply, default: ErrorReply },
      },
    },
    (request) => useCases.alerts(callerOf(request), request.query),
  );

  app.delete(
    '/v1/alerts/:id',
    {
      config: { role: 'submit' },
      schema: {
        operationId: 'deleteAlert',
        summary: 'Delete an alert, with what it has not sent yet',
        params: AlertParams,
        response: { 200: AlertView, default: ErrorReply },
      },
    },
    (request) => useCases.deleteAlert(callerOf(request), request.params.id),
  );

  app.post(
    '/v1/alerts/:id/test',
    {
      config: { role: 'submit' },
      schema: {
        operationId: 'testAlert',
        summary: 'Send a test message, and tell what became of it',
        params: AlertParams,
        response: { 200: DeliveryView, default: ErrorReply },
      },
    },
    (request) => useCases.testAlert(callerOf(request), request.params.id),
  );

  app.get(
    '/v1/deliveries',
    {
      config: { role: 'read' },
      schema: {
        operationId: 'deliveries',
        summary: 'List messages that were sent, or are to be sent',
        querystring: DeliveriesQuery,
        response: { 200: DeliveriesReply, default: ErrorReply },
      },
    },
    (request) => useCases.deliveries(callerOf(request), request.query),
  );
}
