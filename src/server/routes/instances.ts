import { RefParams, SessionParams } from '../../api/http.ts';
import {
  InstancesQuery,
  InstancesReply,
  InstanceVerbParams,
  InstanceVerbReply,
  InstanceVerbRequest,
  PeersReply,
  ResizeRequest,
} from '../../api/instance.ts';
import { BudgetRequest, BudgetView, CostQuery, CostReply } from '../../api/instance-money.ts';
import { ErrorReply } from '../../api/job.ts';
import type { App, Doors } from '../app.ts';
import { callerOf } from '../caller.ts';

export function instanceRoutes(app: App, { useCases }: Doors): void {
  app.get(
    '/v1/instances',
    {
      config: { role: 'read' },
      schema: {
        operationId: 'instances',
        summary: 'List instances',
        querystring: InstancesQuery,
        response: { 200: InstancesReply, default: ErrorReply },
      },
    },
    (request) => useCases.instances(callerOf(request), request.query),
  );

  app.post(
    '/v1/instances/:verb',
    {
      config: { role: 'submit' },
      schema: {
        operationId: 'instanceVerb',
        summary: 'Stop, hibernate, start, terminate, extend, interrupt or replace instances',
        params: InstanceVerbParams,
        body: InstanceVerbRequest,
        response: { 200: InstanceVerbReply, default: ErrorReply },
      },
    },
    (request) => useCases.instanceVerb(callerOf(request), request.params.verb, request.body),
  );

  app.post(
    '/v1/jobs/:ref/resize',
    {
      config: { role: 'submit' },
      schema: {
        operationId: 'resize',
        summary: 'Give an instance array more or fewer members',
        params: RefParams,
        body: ResizeRequest,
        response: { 200: InstanceVerbReply, default: ErrorReply },
      },
    },
    (request) => useCases.resize(callerOf(request), request.params.ref, request.body.count),
  );

  app.get(
    '/v1/cost',
    {
      config: { role: 'read' },
      schema: {
        operationId: 'cost',
        summary: 'Show what instances cost',
        querystring: CostQuery,
        response: { 200: CostReply, default: ErrorReply },
      },
    },
    (request) => useCases.cost(callerOf(request), request.query),
  );

  app.get(
    '/v1/budget',
    {
      config: { role: 'read' },
      schema: {
        operationId: 'budget',
        summary: 'Show the budget of the caller',
        response: { 200: BudgetView, default: ErrorReply },
      },
    },
    (request) => useCases.budget(callerOf(request)),
  );

  app.put(
    '/v1/budget',
    {
      config: { role: 'submit' },
      schema: {
        operationId: 'setBudget',
        summary: 'Set or remove the budget of the caller',
        body: BudgetRequest,
        response: { 200: BudgetView, default: ErrorReply },
      },
    },
    (request) => useCases.setBudget(callerOf(request), request.body),
  );

  app.get(
    '/v1/sessions/:id/peers',
    {
      config: { role: 'worker' },
      schema: {
        operationId: 'peers',
        summary: 'Who runs in the array of the instance of a session',
        params: SessionParams,
        response: { 200: PeersReply, default: ErrorReply },
      },
    },
    (request) => useCases.peers(callerOf(request), request.params.id),
  );
}
