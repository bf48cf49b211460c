import type { App } from '../../runtime/app.js';
import type { Reply, Server } from '../route.js';

/** What a person may do; each role includes the ones before. */
export type Role = 'viewer' | 'operator' | 'admin';

export interface Visitor {
  name: string;
  role: Role;
  /** For the hidden field `csrf` of each form. */
  csrf: string;
}

/** One request of a visitor. */
export interface PageCall {
  params: Readonly<Record<string, string>>;
  query: URLSearchParams;
  /** Of a POST, already checked against the CSRF token; empty for a GET. */
  form: URLSearchParams;
  headers: Headers;
  visitor: Visitor;
  address: string;
  /** The application, whose audit log names the person. */
  app: App;
}

/** One entry of the table of pages. */
export interface Page {
  method: 'GET' | 'POST';
  /** `/blocks/{id}` */
  path: string;
  /** What a visitor needs. */
  role: Role;
  handle: (call: PageCall, server: Server) => Promise<Reply>;
}
