// IndexedDB as promises: two stores, for answers that were read and for what waits to be sent. It works without a secure context (a Pi on
// the local network, plain HTTP), where the Cache API and service workers do not. Without it (private modes) everything goes on, unkept.

export type StoreName = 'answers' | 'outbox';

let opening: Promise<IDBDatabase> | undefined;

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('The browser could not use its database.'));
  });
}

function open(): Promise<IDBDatabase> {
  opening ??= new Promise<IDBDatabase>((resolve, reject) => {
    const request = indexedDB.open('folkmoot', 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore('answers', { keyPath: 'url' }).createIndex('read_at', 'read_at');
      request.result.createObjectStore('outbox', { keyPath: 'key' });
    };
    request.onsuccess = () => {
      request.result.onversionchange = () => request.result.close();
      resolve(request.result);
    };
    request.onerror = () => reject(request.error ?? new Error('The browser could not open its database.'));
  }).catch((error: unknown) => {
    opening = undefined;
    throw error;
  });
  return opening;
}

async function store(name: StoreName, mode: IDBTransactionMode): Promise<IDBObjectStore> {
  return (await open()).transaction(name, mode).objectStore(name);
}

export async function readOne<T>(name: StoreName, key: string): Promise<T | undefined> {
  return done((await store(name, 'readonly')).get(key) as IDBRequest<T | undefined>);
}

export async function readAll<T>(name: StoreName): Promise<T[]> {
  return done((await store(name, 'readonly')).getAll() as IDBRequest<T[]>);
}

/** Resolves when the write is in the database for good, not merely asked for. */
export async function write(name: StoreName, value: unknown): Promise<void> {
  const transaction = (await open()).transaction(name, 'readwrite');
  transaction.objectStore(name).put(value);
  await finished(transaction);
}

export async function remove(name: StoreName, key: string): Promise<void> {
  const transaction = (await open()).transaction(name, 'readwrite');
  transaction.objectStore(name).delete(key);
  await finished(transaction);
}

export async function empty(name: StoreName): Promise<void> {
  const transaction = (await open()).transaction(name, 'readwrite');
  transaction.objectStore(name).clear();
  await finished(transaction);
}

/** Keeps the `most` newest of an index and drops the rest. */
export async function keepNewest(name: StoreName, index: string, most: number): Promise<void> {
  const transaction = (await open()).transaction(name, 'readwrite');
  const objects = transaction.objectStore(name);
  let surplus = (await done(objects.count())) - most;
  const walk = objects.index(index).openCursor();
  walk.onsuccess = () => {
    const cursor = walk.result;
    if (!cursor || surplus-- <= 0) return;
    cursor.delete();
    cursor.continue();
  };
  await finished(transaction);
}

function finished(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onerror = transaction.onabort = () =>
      reject(transaction.error ?? new Error('The browser could not write to its database.'));
  });
}
