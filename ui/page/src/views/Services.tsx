// LLMServices: are they ready, and if not, why; what their engines say of themselves.
import { api } from '../api/client';
import type { Replica, ServiceView } from '../api/schema';
import { age, percent, plural, seconds } from '../format';
import { Icon } from '../parts/icons';
import { Empty, Reason, Skeleton, sentence, Trouble, useAnswer } from '../parts/parts';
import { openNode, openPod } from '../state/route';
import { servicesVersion } from '../state/store';

export function Services() {
  const { value, problem, again } = useAnswer(() => api.services(), [servicesVersion.value]);
  if (problem) return <Trouble problem={problem} again={again} />;
  if (!value) return <Skeleton lines={8} />;
  if (value.items.length === 0)
    return (
      <Empty icon="info" title="No services">
        No LLMService that you may see. One is made with kubectl apply; see manifests/samples.
      </Empty>
    );
  const troubled = value.items.filter((service) => !service.isReady);
  const sorted = [...troubled, ...value.items.filter((service) => service.isReady)];
  return (
    <div class="page">
      <header class="page-head">
        <h1>Services</h1>
        <p>
          {value.items.length - troubled.length} of {plural(value.items.length, 'service')} ready. Those that are not come first.
        </p>
      </header>
      <ul class="list">
        {sorted.map((service) => (
          <li key={`${service.namespace}/${service.name}`} class="card">
            <Service service={service} />
          </li>
        ))}
      </ul>
    </div>
  );
}

function Service({ service }: { service: ServiceView }) {
  return (
    <article class="service" aria-label={service.name}>
      <header>
        <h2>
          <span class={service.isReady ? 'yes' : 'no'}>
            <Icon name={service.isReady ? 'check' : 'warn'} />
          </span>{' '}
          {service.name}
        </h2>
        <p class="muted">
          {service.namespace} · {service.model} {service.priorityClass && `· ${service.priorityClass}`}
        </p>
      </header>
      <div>
        <p class="lead">
          <b class="number">
            {service.ready} of {service.desired}
          </b>{' '}
          {service.desired === 1 ? 'replica' : 'replicas'} ready. {!service.isReady && sentence(service.message)}
        </p>
        {!service.isReady && <Reason code={service.reason} />}
        {service.hint && <blockquote>{service.hint}</blockquote>}
      </div>
      {service.replicas.length > 0 && <Replicas replicas={service.replicas} />}
      {service.conditions.length > 0 && (
        <details>
          <summary>Conditions ({service.conditions.length})</summary>
          <table class="table">
            <tbody>
              {service.conditions.map((each) => (
                <tr key={each.type}>
                  <th scope="row">{each.type}</th>
                  <td>{each.status}</td>
                  <td>
                    <Reason code={each.reason} />
                  </td>
                  <td>{sentence(each.message)}</td>
                  <td class="number muted">{age(each.since)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </details>
      )}
    </article>
  );
}

const shown = (value: number | null, as: (n: number) => string): string => (value === null ? '–' : as(value));

function Replicas({ replicas }: { replicas: readonly Replica[] }) {
  return (
    <table class="table replicas">
      <caption class="unseen">Replicas</caption>
      <thead>
        <tr>
          <th scope="col">Replica</th>
          <th scope="col">Node</th>
          <th scope="col">State</th>
          <th scope="col" class="number">
            Running
          </th>
          <th scope="col" class="number">
            Queued
          </th>
          <th scope="col" class="number">
            TTFT, median
          </th>
          <th scope="col" class="number">
            KV in use
          </th>
        </tr>
      </thead>
      <tbody>
        {replicas.map((replica) => (
          <tr key={replica.pod}>
            <th scope="row">
              <button type="button" class="link" onClick={() => openPod(replica.pod)}>
                {replica.pod.split('/').at(-1)}
              </button>
            </th>
            <td>
              {replica.node ? (
                <button type="button" class="link" onClick={() => openNode(replica.node)}>
                  {replica.node}
                </button>
              ) : (
                'none yet'
              )}
            </td>
            <td>
              <span class={replica.ready ? 'yes' : 'no'}>
                <Icon name={replica.ready ? 'check' : 'wait'} /> {replica.ready ? 'ready' : replica.reason || 'not ready'}
              </span>
            </td>
            <td class="number">{shown(replica.running, String)}</td>
            <td class="number">{shown(replica.queued, String)}</td>
            <td class="number">{shown(replica.ttftSeconds, seconds)}</td>
            <td class="number">
              {replica.kvUse !== null && (
                <svg class="meter tiny" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
                  <rect class="track" width="100" height="4" />
                  <rect class="used" width={Math.min(1, replica.kvUse) * 100} height="4" />
                </svg>
              )}
              {shown(replica.kvUse, percent)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
