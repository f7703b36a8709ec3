/**
 * `GET .../vncwebsocket`: the relay between a WebSocket and the guest's RFB server.
 *
 * @module
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { GuestError, type LabGuest } from '../guests/guest.ts';
import { ApiError } from './errors.ts';
import { assertPermitted } from './permissions.ts';
import type { Cluster } from './router.ts';

const PATH = /^\/api2\/json\/nodes\/([^/]+)\/qemu\/(\d+)\/vncwebsocket$/;
const MAX_FRAME = 128 * 1024;
/** The VNC password holds so long for new handshakes. */
const PASSWORD_MS = 30_000;

export interface Relay {
  handle(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Cuts every open console, of one VM or of all. */
  cut(vmid?: number): void;
}

export function createRelay(cluster: Cluster): Relay {
  const wss = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_FRAME,
    perMessageDeflate: false,
    handleProtocols: (protocols) => [...protocols][0] ?? false,
  });
  const open = new Map<WebSocket, number>();
  return {
    handle(request, socket, head) {
      let vmid: number;
      let password: string;
      try {
        ({ vmid, password } = admit(cluster, request));
      } catch (error) {
        refuse(socket, error);
        return;
      }
      wss.handleUpgrade(request, socket, head, (client) => {
        open.set(client, vmid);
        client.on('close', () => open.delete(client));
        void connect(cluster, vmid, password, client);
      });
    },
    cut(vmid) {
      for (const [client, owner] of open) if (vmid === undefined || owner === vmid) client.terminate();
    },
  };
}

/** Same caller, same VM, same port, and a fresh ticket; each is good for one connection. */
function admit(cluster: Cluster, request: IncomingMessage): { vmid: number; password: string } {
  const url = new URL(request.url ?? '/', 'https://lab');
  const match = PATH.exec(url.pathname);
  if (match === null) throw new ApiError(501, 'no such uri');
  const caller = cluster.access.authenticate(request);
  const [, node = '', id = ''] = match;
  assertPermitted(cluster.access, caller, 'GET /nodes/{node}/qemu/{vmid}/vncwebsocket', { node, vmid: id });
  const vmid = Number(id);
  const port = Number(url.searchParams.get('port'));
  const ticket = url.searchParams.get('vncticket') ?? '';
  const expected = cluster.consoles.get(port);
  const signed = ticket.slice(ticket.indexOf(':PVEVNC:') + 1);
  const isValid =
    expected?.vmid === vmid &&
    expected.caller === caller.id &&
    expected.expiresAt >= cluster.access.now() &&
    ticket.startsWith(`${expected.password}:`) &&
    cluster.access.isVncTicket(signed, caller, `/vms/${vmid}`, port);
  if (!isValid) throw new ApiError(401, 'permission denied - invalid PVEVNC ticket');
  cluster.consoles.delete(port);
  return { vmid, password: expected.password };
}

/** A stopped VM or one without a display: the upgrade succeeds and the connection ends without a byte. */
async function connect(cluster: Cluster, vmid: number, password: string, client: WebSocket): Promise<void> {
  const stream = await openConsole(cluster.machines.get(vmid)?.guest, password);
  if (stream === undefined) {
    client.terminate();
    return;
  }
  stream.on('data', (data: Buffer) => {
    for (let at = 0; at < data.length; at += MAX_FRAME) client.send(data.subarray(at, at + MAX_FRAME));
    if (client.bufferedAmount > 4 * MAX_FRAME) {
      stream.pause();
      const resume = (): void => {
        if (client.readyState !== client.OPEN) return;
        if (client.bufferedAmount > MAX_FRAME) setImmediate(resume);
        else stream.resume();
      };
      setImmediate(resume);
    }
  });
  // pveproxy never sends a Close frame.
  stream.on('close', () => client.terminate());
  stream.on('error', () => client.terminate());
  client.on('message', (data: Buffer) => stream.write(data));
  client.on('close', () => stream.destroy());
  client.on('error', () => stream.destroy());
}

/** Undefined for a machine without a screen, and for one that stops at this moment. */
async function openConsole(guest: LabGuest | undefined, password: string): Promise<Duplex | undefined> {
  try {
    await guest?.setVncPassword(password, PASSWORD_MS);
    return await guest?.openVnc();
  } catch (error) {
    if (error instanceof GuestError) return undefined;
    throw error;
  }
}

function refuse(socket: Duplex, error: unknown): void {
  const fault = error instanceof ApiError ? error : new ApiError(500, 'relay failed');
  const body = fault.bodiless ? '' : JSON.stringify({ data: null, message: `${fault.message}\n` });
  const type = body === '' ? '' : 'Content-Type: application/json;charset=UTF-8\r\n';
  socket.end(
    `HTTP/1.1 ${fault.status} ${fault.message}\r\n${type}Content-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
  );
}
