// One tab at a time. Where the browser has no locks (no secure context), tabs may overlap: then the idempotency keys, which all tabs share,
// still make the server do each thing once.
export async function underLock<T>(name: string, work: () => Promise<T>): Promise<T> {
  if (typeof navigator === 'undefined' || !navigator.locks) return work();
  return navigator.locks.request(name, work) as Promise<T>;
}
