import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Clip, makeClip } from '../codec/codecs.ts';
import type { MediaOptions } from '../media.ts';
import { promptIds } from '../prompt-ids.ts';
import { readWav } from './wav.ts';

type Problem = (text: string, data?: object) => void;

/** Call flows are written against these ids; every other language may say them differently, not differ in them. */
const REFERENCE_LANGUAGE = 'en-GB';
/** Two minutes at 16 kHz. */
const LONGEST_FILE = 4_000_000;

/**
 * Reads and codes every prompt: for each id the operator's file, else the shipped one of the language, else the
 * shipped English one. What is wrong with a file is told to `problem` and the next one is taken.
 * Throws when nothing at all can be loaded.
 */
export function loadPrompts(options: MediaOptions['prompts'], problem: Problem): Map<string, Clip> {
  const reference = join(options.shipped, REFERENCE_LANGUAGE);
  if (!existsSync(reference)) throw new Error(`there are no prompts: no folder ${reference}`);
  const folders = foldersOf(options, problem);
  const ids = promptIds(reference);
  reportStrangers(folders, { ids: new Set(ids), problem });
  const clips = new Map<string, Clip>();
  const missing: string[] = [];
  for (const id of ids) {
    const clip = loadOne(folders, id, problem);
    if (clip === undefined) missing.push(id);
    else clips.set(id, clip);
  }
  if (clips.size === 0) throw new Error(`no prompt could be read from ${options.shipped}`);
  if (missing.length > 0) problem('some prompts cannot be read and will not be heard', { prompts: missing });
  return clips;
}

/** Folders in the order they are asked. */
function foldersOf({ shipped, overlay, language }: MediaOptions['prompts'], problem: Problem): string[] {
  const reference = join(shipped, REFERENCE_LANGUAGE);
  const own = overlay === undefined ? [] : [join(overlay, language)];
  const translated = language === REFERENCE_LANGUAGE ? [] : [join(shipped, language)];
  if (own[0] !== undefined && !existsSync(own[0])) {
    problem('the prompts folder has no folder for this language; the shipped prompts are used', {
      folder: own[0],
    });
  }
  const wanted = [...own, ...translated].filter((folder) => existsSync(folder));
  if (language !== REFERENCE_LANGUAGE) reportUntranslated(wanted, { language, reference, problem });
  return [...wanted, reference];
}

function reportUntranslated(
  folders: readonly string[],
  { language, reference, problem }: { language: string; reference: string; problem: Problem },
): void {
  const spoken = new Set(folders.flatMap(promptIds));
  const prompts = promptIds(reference).filter((id) => !spoken.has(id));
  if (prompts.length > 0)
    problem(`some prompts are missing in ${language} and are said in English`, { prompts });
}

function reportStrangers(
  folders: readonly string[],
  { ids, problem }: { ids: ReadonlySet<string>; problem: Problem },
): void {
  for (const folder of folders) {
    const prompts = promptIds(folder).filter((id) => !ids.has(id));
    if (prompts.length > 0) problem('these prompt files have names Hotdesk never plays', { folder, prompts });
  }
}

function loadOne(folders: readonly string[], id: string, problem: Problem): Clip | undefined {
  for (const folder of folders) {
    const file = join(folder, `${id}.wav`);
    if (!existsSync(file)) continue;
    const clip = readClip(file);
    if (!('wrong' in clip)) return clip;
    problem(`prompt ${file} ${clip.wrong}`, { prompt: id, file });
  }
  return undefined;
}

function readClip(file: string): Clip | { wrong: string } {
  try {
    if (statSync(file).size > LONGEST_FILE) return { wrong: 'is longer than two minutes: shorten it' };
    const sound = readWav(readFileSync(file));
    return 'wrong' in sound ? sound : makeClip(sound.samples, sound.rate);
  } catch (error) {
    return { wrong: `cannot be read: ${(error as Error).message}` };
  }
}
