import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseEnvFile, readEnvFile } from './env-file.ts';

const read = (text: string) => Object.fromEntries(parseEnvFile('f', text).map(({ name, value }) => [name, value]));

describe('read', () => {
  test.each([
    ['A=1\nB=two words \n', { A: '1', B: 'two words' }],
    ['# a comment\n\n  # another\nA=1\n', { A: '1' }],
    ['export A=1\r\nexport  B = 2\r\n', { A: '1', B: '2' }],
    ['A=\nB=""\nC=\'\'', { A: '', B: '', C: '' }],
    ['A=x#y # said\nB=# nothing', { A: 'x#y', B: '' }],
    ["A=' $HOME # \\n '  # said", { A: ' $HOME # \\n ' }],
    ['A="a\\tb\\"c\\\\d\\$e\\q $HOME # in"', { A: 'a\tb"c\\d$e\\q $HOME # in' }],
    ['A="first\n  second"\nB=\'x\n\ny\'', { A: 'first\n  second', B: 'x\n\ny' }],
    ['A=1=2\nA=3', { A: '3' }],
    ["A=it's", { A: "it's" }],
  ])('%j', (text, variables) => {
    expect(read(text)).toEqual(variables);
  });

  test('the place of each', () => {
    expect(parseEnvFile('run.env', '\nA="\n"\nB=1').map(({ place }) => place)).toEqual(['run.env:2', 'run.env:4']);
  });
});

describe('refused, with the line and never with the value', () => {
  test.each([
    ['A=1\nsecret', 'f:2: expected KEY=VALUE, found no "="'],
    ['=secret', 'f:1: expected a name of letters, digits and "_", no digit first, found something else'],
    ['1A=secret', 'f:1: expected a name of letters, digits and "_", no digit first, found something else'],
    ['A-B=secret', 'f:1: expected a name of letters, digits and "_", no digit first, found something else'],
    ['A="secret\nB=1', 'f:1: expected a closing ", found the end of the file'],
    ["A='x' secret", "f:1: expected the end of the line after ', found more"],
    ['A=a\0b', 'f:1: expected no NUL byte, found one'],
  ])('%j', (text, message) => {
    expect(() => parseEnvFile('f', text)).toThrow(new RegExp(`^${message.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`));
  });
});

describe('the file', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'spawn-env-file-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test('is read', () => {
    writeFileSync(join(folder, 'a.env'), 'A=ü\n');
    expect(readEnvFile('a.env', join(folder, 'a.env'))).toEqual([{ name: 'A', value: 'ü', place: 'a.env:1' }]);
  });

  test('that is none is refused', () => {
    mkdirSync(join(folder, 'sub'));
    writeFileSync(join(folder, 'latin.env'), Buffer.from('A=\xe9', 'latin1'));
    const reading = (name: string) => () => readEnvFile(name, join(folder, name));
    expect(reading('none.env')).toThrow('--env-file: file "none.env" not found');
    expect(reading('sub')).toThrow('--env-file: file "sub" cannot be read: it is a directory');
    expect(reading('latin.env')).toThrow('--env-file: file "latin.env" cannot be read: it is not UTF-8 text');
  });
});
