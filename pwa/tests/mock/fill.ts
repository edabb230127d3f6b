// What the mock community talks about.
import { Community } from './community';

const STATEMENTS = [
  'Public lighting along the canal should be dimmed after midnight so that bats and insects have dark corridors.',
  'Every new building should have a green roof or solar panels.',
  'The weekly market belongs on the main square, even if that costs parking spaces.',
  'Private gardens should count towards the biodiversity targets of the town.',
  'Dogs must be on a lead everywhere in the nature reserve during the breeding season.',
  'यूबर चालकों के पास पेशेवर लाइसेंस होना चाहिए।',
  'Uber司机應該需要有職業駕照，並且定期接受安全檢查。',
  'The town should buy the old mill and lend it to clubs.',
];

export function fill(): Community {
  const community = new Community();
  const admin = community.addAccount('asha', 'correct horse');
  const others = ['bela', 'chidi', 'dorothea', 'emeka', 'farid'].map((name) =>
    community.addAccount(name, 'correct horse'),
  );
  const [bela, chidi, dorothea] = [others[0]!, others[1]!, others[2]!];

  const talk = community.addBoard(
    'village-hall',
    'The village hall',
    'discussion',
    'What to do with the hall once the roof is repaired.',
  );
  const nature = community.addBoard(
    'biodiversity',
    'Living with nature in our town',
    'statements',
    'Short statements on how the town should treat its green places. Vote on each, and see what we share.',
  );

  for (const [at, text] of STATEMENTS.entries()) {
    const post = community.addPost(nature, others[at % 5]!, text, '', 200 + at);
    for (let voter = 0; voter < 40 + at * 7; voter++) {
      const value = (voter * 7 + at * 3) % 10;
      community.vote(post.id, `voter-${voter}`, value < 7 - (at % 4) ? 'agree' : value < 9 ? 'disagree' : 'pass');
    }
  }
  Object.assign(nature, { voter_count: 1921, agree_count: 31029, disagree_count: 11894, pass_count: 6520 });

  const roof = community.addPost(
    talk,
    bela,
    'Should we rent out the hall on weekdays?',
    'The roof is done, and the bills are not.\n\nI worked out that two rentals a week would pay for heating. The figures are here: https://example.org/hall/figures.html.\nWhat do you think?',
    250,
  );
  community.addPost(
    talk,
    chidi,
    'A repair café every first Saturday',
    'Tools are in the cellar, we only need three people who can solder.',
    270,
  );
  community.addPost(talk, dorothea, 'हॉल के लिए नई कुर्सियाँ', '', 280);
  const first = community.addComment(roof, undefined, chidi, 'Yes, as long as the choir keeps its Tuesday.', 260);
  const second = community.addComment(roof, first, bela, 'Tuesday is safe. The choir was here before the roof.', 262);
  const third = community.addComment(roof, second, dorothea, 'And before most of us.', 263);
  const fourth = community.addComment(
    roof,
    third,
    admin,
    'Then let us write that into the rules, so that nobody has to remember it.',
    264,
  );
  const fifth = community.addComment(roof, fourth, chidi, 'I can draft it until Friday.', 265);
  community.addComment(roof, fifth, bela, 'Thank you!', 266);
  for (let reply = 0; reply < 6; reply++)
    community.addComment(
      roof,
      first,
      others[reply % 5]!,
      `Another thought on the choir, number ${reply + 1}.`,
      267 + reply,
    );
  for (let answer = 0; answer < 24; answer++)
    community.addComment(
      roof,
      undefined,
      others[answer % 5]!,
      `I would rather see the hall used by the school. Reason ${answer + 1}.`,
      275 + answer,
    );
  community.vote(roof.id, 'voter-1', 'agree');
  community.vote(roof.id, 'voter-2', 'agree');
  community.vote(roof.id, 'voter-3', 'disagree');
  community.vote(first.id, 'voter-1', 'agree');
  return community;
}
