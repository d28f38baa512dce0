#!/usr/bin/env node
import { runFallback } from '../worker/forker/fallback/run-fallback.ts';

runFallback();
