"use strict";
// The renderer of frames that are texts.
lanista.show({ text: (game, k) => game.frames[k] });
