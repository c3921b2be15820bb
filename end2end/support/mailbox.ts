// Mail of test mode: kept, never sent (contract 70).

import { absolute } from './instance';

export interface Mail {
  to: string;
  subject: string;
  text: string;
}

/** Mails whose subject names something, newest first. */
export async function mailsAbout(word: string): Promise<Mail[]> {
  const answer = await fetch(absolute('/sandbox/mail'));
  const mails = (await answer.json()) as (Mail & { at: string })[];
  return mails.filter(({ subject }) => subject.includes(word)).sort((a, b) => b.at.localeCompare(a.at));
}
