import { spawn } from "node:child_process";
import { GatewayError } from "@fovea/core";
import type { Clock } from "@fovea/core";

export interface ProgramRun {
  readonly command: string;
  readonly args: readonly string[];
  /** Written to the program's standard input, which is then closed. */
  readonly input?: string | Uint8Array;
  readonly timeoutMs: number;
  readonly outputBytesMax: number;
  readonly signal?: AbortSignal;
}

export interface ProgramResult {
  readonly code: number;
  readonly stdout: Buffer;
  /** At most 2,000 characters, for the error message of whoever started it. */
  readonly stderr: string;
}

const STDERR_MAX = 2_000;

/**
 * Runs a program to its end. It is killed when the signal aborts, the time is over or it prints more than it may; in
 * those cases a `GatewayError` is thrown. A non-zero code is a result, not an error: the caller knows what it means.
 */
export function runProgram(run: ProgramRun, clock: Clock): Promise<ProgramResult> {
  const { command, args, input, timeoutMs, outputBytesMax, signal } = run;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(cancelled(command));
    const child = spawn(command, [...args], { stdio: ["pipe", "pipe", "pipe"] });
    const chunks: Buffer[] = [];
    let size = 0;
    let stderr = "";
    const stop = (error: Error): void => {
      finish();
      child.kill("SIGKILL");
      reject(error);
    };
    const onAbort = (): void => stop(cancelled(command));
    const cancelTimer = clock.schedule(timeoutMs, () =>
      stop(
        new GatewayError("deadline_exceeded", `${command} took longer than ${timeoutMs} ms`, {
          program: command,
          timeoutMs,
        }),
      ),
    );
    const finish = (): void => {
      cancelTimer();
      signal?.removeEventListener("abort", onAbort);
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    child.stdout.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > outputBytesMax)
        return stop(
          new GatewayError("request_too_large", `${command} printed more than ${outputBytesMax} bytes`, {
            program: command,
          }),
        );
      chunks.push(chunk);
    });
    child.stderr.on("data", (chunk: Buffer) => {
      if (stderr.length < STDERR_MAX) stderr += chunk.toString("utf8").slice(0, STDERR_MAX - stderr.length);
    });
    child.on("error", (cause) => {
      finish();
      reject(new GatewayError("provider_failed", `${command} could not be started`, { program: command }, { cause }));
    });
    child.on("close", (code) => {
      finish();
      resolve({ code: code ?? -1, stdout: Buffer.concat(chunks), stderr });
    });
    // A program that ends without reading its input breaks the pipe; its exit code says what happened.
    child.stdin.on("error", () => {});
    child.stdin.end(input);
  });
}

function cancelled(command: string): GatewayError {
  return new GatewayError("request_cancelled", `${command} was cancelled`, { program: command });
}
