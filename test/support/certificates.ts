import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { CertificateFiles } from '../../src/server/certificates.ts';

/** Certificates for localhost, 127.0.0.1 and ::1 that signed themselves, valid from 2020 to 2120, with their keys: for tests alone. */
export const PAIRS = {
  a: {
    cert: `-----BEGIN CERTIFICATE-----
MIIBfzCCASWgAwIBAgIBATAKBggqhkjOPQQDAjAXMRUwEwYDVQQDDAxzcGF3biB0
ZXN0IGEwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMBcxFTATBgNV
BAMMDHNwYXduIHRlc3QgYTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABH7ldvXN
Cqso4uAwcNC84YrmP0EcMk46CPout4wvKouapYwdgbmGo7nAprLRjkUIoWjZ5hL3
cLLAk0ltdQRJDXGjYDBeMCwGA1UdEQQlMCOCCWxvY2FsaG9zdIcEfwAAAYcQAAAA
AAAAAAAAAAAAAAAAATAPBgNVHRMBAf8EBTADAQH/MB0GA1UdDgQWBBRayRuARJcd
SmEJ5hWzN1b56fnIcDAKBggqhkjOPQQDAgNIADBFAiAbvIQzjQS8B9Y5X1Wg4Nkz
BCwHEOSvLPuEaqY8HgUsYQIhAKdPOiXajS74lB01FVYcw0nLADWSqrbpHaHg1Lag
hI1B
-----END CERTIFICATE-----
`,
    key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgZJjiDEyFlE9oBNSG
plL7Y/R7YjtPcxl/6AV/lvsWSyGhRANCAAR+5Xb1zQqrKOLgMHDQvOGK5j9BHDJO
Ogj6LreMLyqLmqWMHYG5hqO5wKay0Y5FCKFo2eYS93CywJNJbXUESQ1x
-----END PRIVATE KEY-----
`,
  },
  b: {
    cert: `-----BEGIN CERTIFICATE-----
MIIBfzCCASWgAwIBAgIBATAKBggqhkjOPQQDAjAXMRUwEwYDVQQDDAxzcGF3biB0
ZXN0IGIwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMBcxFTATBgNV
BAMMDHNwYXduIHRlc3QgYjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABJZCmsZv
czFnP8ioEUWsAl72T42YvQtHIyDGd+OYklfEhtOMqFG19L7Yk7Iz78Alga8Gmhsx
3EgdYjeED68YmvqjYDBeMCwGA1UdEQQlMCOCCWxvY2FsaG9zdIcEfwAAAYcQAAAA
AAAAAAAAAAAAAAAAATAPBgNVHRMBAf8EBTADAQH/MB0GA1UdDgQWBBTsRIK0FvkW
wbBlM75/bM4+wBlMRDAKBggqhkjOPQQDAgNIADBFAiEAht2zpa1dCZiVnVadsDxI
Hke1NTbG4ej/s8NBUxg0jsQCIFquElv3BzOGMHYEZuRzLm//uwECAIx6cyZ7n4vc
WoeZ
-----END CERTIFICATE-----
`,
    key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg8Z5M503ZhcQvSiXe
w577kblV7Z4+mwXPr1mfsLYwJU+hRANCAASWQprGb3MxZz/IqBFFrAJe9k+NmL0L
RyMgxnfjmJJXxIbTjKhRtfS+2JOyM+/AJYGvBpobMdxIHWI3hA+vGJr6
-----END PRIVATE KEY-----
`,
  },
} as const;

/** A pair in files of a folder that goes with the test. */
export function certificateFiles(name: keyof typeof PAIRS): CertificateFiles {
  const folder = mkdtempSync(join(tmpdir(), 'spawn-tls-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const files = { certFile: join(folder, 'cert.pem'), keyFile: join(folder, 'key.pem') };
  writePair(files, name);
  return files;
}

export function writePair({ certFile, keyFile }: CertificateFiles, name: keyof typeof PAIRS): void {
  writeFileSync(keyFile, PAIRS[name].key, { mode: 0o600 });
  writeFileSync(certFile, PAIRS[name].cert);
}
