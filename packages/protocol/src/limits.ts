/**
 * Upper bounds of the wire. A message beyond one of them is refused with the field's name, whoever sent it, so a peer
 * can never make the other side allocate without bound. A gateway may announce lower ones in `welcome.limits`.
 */
export const LIMITS = {
  /** Characters of one control message. A room of 1,000 nodes takes about 300,000. */
  controlCharactersMax: 1_048_576,
  /** Nesting of application data (tool arguments, marker data, user-interface data). */
  jsonDepthMax: 16,
  /** Values, counted over all levels, of one piece of application data. */
  jsonValuesMax: 10_000,

  idCharactersMax: 128,
  nameCharactersMax: 256,
  labelCharactersMax: 128,
  textCharactersMax: 16_384,
  /** A whole answer can be replaced at once, so parts are longer than questions. */
  partCharactersMax: 65_536,
  tokenCharactersMax: 8_192,
  userAgentCharactersMax: 1_024,

  featuresMax: 64,
  profilesMax: 16,
  hapticEffectsMax: 16,
  hapticActuatorsMax: 16,
  /** Input sources described at one time. */
  inputSourcesMax: 16,
  /** Input sources in one pose packet. Two controllers, two hands, gaze and transient pointers fit. */
  poseSourcesMax: 8,
  buttonsMax: 16,
  axesMax: 8,

  sceneNodesPerUpdateMax: 1_000,
  sceneEntitiesMax: 10_000,
  /** Things that vision knows in one room. */
  seenThingsMax: 1_000,
  polygonCornersMax: 256,
  affordancesMax: 32,
  includeMax: 16,
  modalitiesMax: 8,
  toolsMax: 64,
  openTurnsMax: 16,
  wordsMax: 2_000,
  stepsMax: 64,
  pathPointsMax: 1_024,
  levelsMax: 16,
  budgetsMax: 64,
  warningsMax: 64,
  hapticBreakpointsMax: 4_096,
  hapticPulsesMax: 2_048,

  /** No room is larger; a tracker that reports more has lost itself. */
  positionMaxM: 10_000,
  speedMaxMPerS: 1_000,
  /** Norms of JSON quaternions within this of 1 are normalised, others are refused. */
  quaternionTolerance: 0.01,

  audioPayloadBytesMax: 65_536,
  imagePayloadBytesMax: 4_194_304,
  imageSideMax: 8_192,
  depthSideMax: 1_024,
  meshVerticesMax: 1_000_000,
  meshIndicesMax: 6_000_000,
  meshPayloadBytesMax: 8_388_608,

  poseHzMax: 120,
  imageHzMax: 30,
  controlMessagesPerSecondMax: 200,
  asksPerSecondMax: 10,
} as const;

/** What a gateway grants in `welcome.limits`; a client stays below it. Rates are per connection. */
export interface GrantedLimits {
  readonly controlCharactersMax: number;
  readonly sceneEntitiesMax: number;
  readonly controlMessagesPerSecondMax: number;
  readonly asksPerSecondMax: number;
  readonly openTurnsMax: number;
  readonly imagePayloadBytesMax: number;
}
