import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, test } from '@playwright/test';
import { LendingSocket } from '../../fixtures/vnc/rfb/lending-socket.ts';
import { ByteReader, StreamEnded } from '../../fixtures/vnc/rfb/reader.ts';

/** Both ends of a connection over loopback. */
async function connected(): Promise<{ socket: LendingSocket; peer: Socket; close: () => void }> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = new LendingSocket();
  socket.connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [peer] = (await once(server, 'connection')) as [Socket];
  await once(socket, 'connect');
  const close = () => {
    socket.destroy();
    peer.destroy();
    server.close();
  };
  return { socket, peer, close };
}

test('nobody borrows: it is a stream like any other, to its end', async () => {
  const { socket, peer, close } = await connected();
  const all = 'x'.repeat(3 << 20) + 'end';
  peer.end(all);
  expect(await text(socket)).toBe(all);
  close();
});

test('a reader gets every byte once, in order, however they are cut, and what it took stays its own', async () => {
  const { socket, peer, close } = await connected();
  const size = 5_000_000;
  const sent = Buffer.from(Uint32Array.from({ length: size / 4 }, (_, at) => at).buffer);
  peer.write(sent.subarray(0, 100_000)); // some before anybody borrows
  await expect.poll(() => socket.readableLength).toBeGreaterThan(0);
  const reader = new ByteReader(socket);
  peer.end(sent.subarray(100_000));
  const taken: Buffer[] = [];
  for (let left = size, round = 1; left > 0; round++) {
    const bytes = await reader.take(Math.min(left, (round * 7919) % 300_000));
    taken.push(bytes);
    left -= bytes.length;
  }
  expect(Buffer.compare(Buffer.concat(taken), sent)).toBe(0);
  await expect(reader.u8()).rejects.toBeInstanceOf(StreamEnded);
  close();
});

test('what nobody reads stays with the sender: a borrower that waits holds one view', async () => {
  const { socket, peer, close } = await connected();
  const views: number[] = [];
  socket.lend(() => views.push(socket.fetch()?.length ?? 0));
  const all = 64 << 20;
  peer.write(Buffer.alloc(all));
  await expect.poll(() => views.length).toBe(1);
  const waiting = peer.writableLength;
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(views).toHaveLength(1);
  expect(peer.writableLength).toBe(waiting);
  expect(socket.bytesRead).toBeLessThan(1 << 20);
  expect(socket.fetch()).toBeUndefined(); // reads on
  await expect.poll(() => views.length).toBe(2);
  close();
});

test('given back, it is read by others from where the reader was', async () => {
  const { socket, peer, close } = await connected();
  const reader = new ByteReader(socket);
  peer.write('hello, world');
  expect((await reader.take(7)).toString()).toBe('hello, ');
  reader.release();
  peer.end(' again');
  expect(await text(socket)).toBe('world again');
  close();
});
