// After each test file: a test that failed half-way leaves no server behind.
import { afterAll } from 'vitest';
import { killAll } from './server.ts';

afterAll(killAll);
