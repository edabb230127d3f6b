// What the community is called and whether strangers may read; as far as known.
import { api } from '../api/api';
import type { Community } from '../api/generated';
import { Cell } from './cell';

/** What a community is called as long as it is not known. */
export const PROGRAM = 'Folkmoot';

export const community = new Cell<Community | undefined>(undefined);

export async function loadCommunity(): Promise<void> {
  try {
    community.set((await api.readCommunity()).data);
  } catch {
    // Screens tell when they cannot read either.
  }
}
