interface Recognition extends EventTarget {
  lang: string;
  interimResults: boolean;
  start(): void;
  stop(): void;
}

/** Shows the microphone only where the browser recognises speech. The words leave for the browser's own vendor. */
export function listenForSpeech(button: HTMLButtonElement, onText: (text: string) => void): void {
  const known = globalThis as {
    SpeechRecognition?: new () => Recognition;
    webkitSpeechRecognition?: new () => Recognition;
  };
  const Recogniser = known.SpeechRecognition ?? known.webkitSpeechRecognition;
  if (Recogniser === undefined) return;
  button.hidden = false;
  let running: Recognition | undefined;
  button.addEventListener("click", () => {
    if (running !== undefined) {
      running.stop();
      return;
    }
    const recognition = new Recogniser();
    recognition.lang = navigator.language;
    recognition.interimResults = false;
    recognition.addEventListener("result", (event) => {
      const { results } = event as Event & { results: ArrayLike<ArrayLike<{ transcript: string }>> };
      const text = results[0]?.[0]?.transcript.trim() ?? "";
      if (text !== "") onText(text);
    });
    const over = (): void => {
      running = undefined;
      button.classList.remove("live");
    };
    recognition.addEventListener("end", over);
    recognition.addEventListener("error", over);
    running = recognition;
    button.classList.add("live");
    recognition.start();
  });
}
