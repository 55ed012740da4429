/** The line of numbers below the mosaic. */

/** Turns getStats of a publisher and a player into one line of text. */
export class Numbers {
  /** Bytes and time of the last reading, by direction. */
  #last = {};

  /**
   * @param {RTCPeerConnection|undefined} player
   * @param {RTCPeerConnection|undefined} publisher
   * @returns {Promise<string>}
   */
  async line(player, publisher) {
    const [received, sent] = await Promise.all([player?.getStats(), publisher?.getStats()]);
    const parts = [];
    let down;
    if (received) {
      down = totals(received, 'inbound-rtp');
      parts.push(`↓ ${this.#rate('down', down.bytesReceived)}`);
      if (down.frameWidth) parts.push(`${down.frameWidth}×${down.frameHeight}`, `${Math.round(down.framesPerSecond ?? 0)} fps`);
    }
    if (sent) parts.push(`↑ ${this.#rate('up', totals(sent, 'outbound-rtp').bytesSent)}`);
    if (down) {
      parts.push(`${down.packetsLost} lost`);
      const rtt = roundTrip(received) ?? (sent && roundTrip(sent));
      if (rtt !== undefined) parts.push(`RTT ${rtt < 0.01 ? (rtt * 1000).toFixed(1) : Math.round(rtt * 1000)} ms`);
    }
    return parts.join(' · ');
  }

  /** @param {'up'|'down'} direction */
  #rate(direction, bytes) {
    const now = performance.now();
    const last = this.#last[direction];
    this.#last[direction] = {bytes, now};
    if (!last || bytes < last.bytes || now === last.now) return '…';
    const kbits = (bytes - last.bytes) * 8 / (now - last.now);
    return kbits < 1000 ? `${Math.round(kbits)} kbit/s` : `${(kbits / 1000).toFixed(1)} Mbit/s`;
  }
}

/** Sums the counters of all streams of a type, and takes sizes and rates from the video. */
function totals(report, type) {
  const sum = {bytesReceived: 0, bytesSent: 0, packetsLost: 0};
  for (const stats of report.values()) {
    if (stats.type !== type) continue;
    for (const name of Object.keys(sum).filter((key) => key in stats)) sum[name] += stats[name];
    if (stats.kind === 'video') {
      const {frameWidth, frameHeight, framesPerSecond} = stats;
      Object.assign(sum, {frameWidth, frameHeight, framesPerSecond});
    }
  }
  return sum;
}

/** @returns {number|undefined} seconds */
function roundTrip(report) {
  for (const stats of report.values()) {
    if (stats.type === 'candidate-pair' && stats.nominated && stats.currentRoundTripTime !== undefined) {
      return stats.currentRoundTripTime;
    }
  }
  return undefined;
}
