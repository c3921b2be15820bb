// What every test knows about the instance under test. Handed from the set-up to the workers through
// the environment, which they inherit.

const VARIABLE = 'EXCHEQUER_END2END_INSTANCE';

export interface DemoUser {
  email: string;
  password: string;
  api_key: string;
}

export interface DemoMerchant extends DemoUser {
  id: number;
  ex_pk: string;
  app_key: string;
  webhook_secret: string;
  /** Of the Processing API, with every permission. */
  key_pair: { public: string; private: string };
}

/** The members of `demo --json` that tests use (contract 70). */
export interface DemoSet {
  base_url: string;
  static_key: string;
  admin: DemoUser;
  manager: DemoUser;
  merchant: DemoMerchant;
  api_user: DemoUser;
  merchant2: DemoMerchant;
}

export interface Instance {
  /** Scheme, host and port, without a trailing slash. */
  baseUrl: string;
  demo: DemoSet;
}

export function announce(instance: Instance): void {
  process.env[VARIABLE] = JSON.stringify(instance);
}

export function instance(): Instance {
  const text = process.env[VARIABLE];
  if (!text) throw new Error('there is no instance: the global set-up did not run');
  return JSON.parse(text) as Instance;
}

export function absolute(path: string): string {
  return new URL(path, instance().baseUrl).toString();
}
