import { readVersion } from '../config/package-root.js';
import { alarmFields } from '../intake/fields.js';
import { jsonNameOf } from '../intake/http-alarms.js';
import type { Route } from './route.js';

/** The table of routes as OpenAPI 3.1. */
export function toOpenApi(routes: readonly Route[]): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) (paths[route.path] ??= {})[route.method.toLowerCase()] = describeRoute(route);
  return {
    openapi: '3.1.0',
    info: { title: 'Firebreak', version: readVersion(), license: { name: 'MIT', identifier: 'MIT' } },
    servers: [{ url: '/' }],
    paths,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
      schemas: { Alarm: alarmSchema, Error: errorSchema },
    },
  };
}

function describeRoute({ method, path, summary, scope, query = {}, request, responses = {} }: Route): object {
  const parameter = (place: 'path' | 'query', name: string, description?: string): object => ({
    ...{ name, in: place, required: place === 'path', schema: { type: 'string' } },
    ...(description !== undefined && { description }),
  });
  const parameters = [
    ...[...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => parameter('path', name)),
    ...Object.entries(query).map(([name, text]) => parameter('query', name, text)),
  ];
  return {
    operationId: [method.toLowerCase(), ...path.split(/\W/).map(capitalise)].join(''),
    summary,
    description: scope === null ? 'Open to everyone.' : `Needs a token of the scope ${scope}.`,
    ...(scope !== null && { security: [{ token: [] }] }),
    ...(parameters.length > 0 && { parameters }),
    ...(request !== undefined && {
      requestBody: { required: true, content: { 'application/json': { schema: request } } },
    }),
    responses: {
      ...Object.fromEntries(
        Object.entries({ 200: 'done', ...responses }).map(([status, text]) => [status, { description: text }]),
      ),
      default: {
        description: 'an error',
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
      },
    },
  };
}

const capitalise = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

const alarmSchema = {
  type: 'object',
  description: 'The fields of the source generic; other sources have their own documents.',
  additionalProperties: false,
  required: ['src_ip', 'dst_ip'],
  properties: Object.fromEntries(
    alarmFields.map((field) => [
      jsonNameOf(field),
      field.isRepeatable === true
        ? { type: 'array', items: { type: 'string' }, description: field.describe }
        : { type: ['string', 'number'], description: field.describe },
    ]),
  ),
};

const errorSchema = {
  type: 'object',
  required: ['error'],
  properties: {
    error: {
      type: 'object',
      required: ['code', 'message'],
      properties: {
        code: { type: 'string' },
        message: { type: 'string' },
        problems: {
          type: 'array',
          items: { type: 'object', properties: { path: { type: 'string' }, message: { type: 'string' } } },
        },
      },
    },
  },
};

/** The document itself, and the page that is yet to come. */
export const describeRoutes = (routes: readonly Route[]): readonly Route[] => {
  let text: string | undefined; // made once: no token is needed
  const own: Route = {
    ...{ method: 'GET', path: '/openapi.json', summary: 'this document', scope: null },
    handle: () => {
      text ??= JSON.stringify(toOpenApi([...routes, own]));
      return Promise.resolve({ status: 200, body: text, headers: { 'Content-Type': 'application/json' } });
    },
  };
  return [own];
};
