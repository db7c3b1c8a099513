// What is said in English when no geometry is asked for.
import type { Phrasebook } from "./phrasebook-type.ts";

export const OTHER_PHRASES: Omit<Phrasebook, "say"> = {
  outside: (why) => {
    switch (why) {
      case "colour":
        return [
          "I only know shapes, sizes, names and places, so I cannot see colours.",
          "A provider with vision can be added to answer that.",
        ];
      case "vision":
        return [
          "I cannot read or recognise details, because I only know names, sizes and places.",
          "A provider with vision can be added to answer that.",
        ];
      case "control":
        return [
          "I cannot operate things or services.",
          "I can find, measure, highlight, label and point at things in the room.",
        ];
      case "person":
        return ["I know nothing about you but where you are and where you look."];
      case "model":
        return [
          "I answer from the geometry of the room only, so I cannot answer that without a language model.",
          "Ask me where things are, how far, how many or how big.",
        ];
      case "unclear":
        return [
          "I did not understand that.",
          "You can ask, for example: what am I looking at, where is the table, or what is on the shelf?",
        ];
    }
  },
  help: () => [
    "I answer questions about the room from its geometry, without a model.",
    "Ask what you are looking at or pointing at, where something is, how far, how many or how big, what is nearest, what is on, under, behind, between or next to something, what you can see, or what changed.",
    "I can also highlight, label and point at things, and show the way to them.",
  ],
  identity: (hasRoom) => [
    "I am Fovea's embedded provider: I answer from geometry, not from a language model.",
    hasRoom
      ? "Ask me about the things in the room."
      : "I need an XR session with a scene to say anything about a room.",
  ],
  greeting: () => ["Hello.", "Ask me about the room: what is here, where things are, how far or how big."],
  thanks: () => ["You are welcome."],
  noRoom: (asked) => {
    switch (asked) {
      case "me":
        return [
          "I help with the room around you: I can tell what you are looking at, where things are, how far and how big, and highlight them or show you the way.",
          "Open the demo page of this server in a browser to try it, or connect your own app with the Fovea SDK.",
          "For questions about anything else, add the key of an AI vendor to this server.",
        ];
      case "room":
        return [
          "I would measure that for you, but this request came without a room.",
          "Open the demo page of this server in a browser, or connect your app with the Fovea SDK, and ask me there.",
        ];
      case "world":
        return [
          "That takes a language model, and I only measure rooms.",
          "Add the key of an AI vendor to this server, and its models answer such questions.",
          "To see what I can do, open the demo page of this server or connect your app with the Fovea SDK.",
        ];
    }
  },
  done: (verb, thing) => {
    switch (verb) {
      case "highlight":
        return `Here is ${thing}.`;
      case "label":
        return `I labelled ${thing}.`;
      case "point":
        return `I am pointing at ${thing}.`;
      case "navigate":
        return `This is the way to ${thing}.`;
      case "move":
        return `I moved ${thing}.`;
      case "place":
        return `I placed ${thing}.`;
      case "haptic":
        return "Here is a pulse.";
      case "undo":
        return "Undone.";
    }
  },
  whereTo: () => [
    "I cannot tell where you want it.",
    "Please point at the place, or name it: on the table, next to the door.",
  ],
  cannot: (verb) => {
    const doing = {
      highlight: "highlight things",
      label: "put up labels",
      point: "point",
      navigate: "show a way",
      move: "move things",
      place: "place things",
      haptic: "give a pulse",
      undo: "undo anything",
    } as const;
    return `I cannot ${doing[verb]} here, because the application offers no action for it.`;
  },
};
