import { behaviour } from "./behaviour.js";

const LAST_MINUTES = 15; // a countdown from the first second frightens buyers

behaviour("deadline", (element) => {
  const end = Date.parse(element.querySelector("time").dateTime);
  const left = element.querySelector('[role="timer"]');

  const tick = () => {
    const seconds = Math.floor((end - Date.now()) / 1000);
    if (!element.isConnected || seconds < 0) {
      left.hidden = true;
      clearInterval(timer);
      return;
    }
    left.hidden = seconds >= LAST_MINUTES * 60;
    const minutes = Math.floor(seconds / 60);
    left.textContent = `${minutes}:${String(seconds % 60).padStart(2, "0")} left`;
  };

  const timer = setInterval(tick, 1000);
  tick();
});
