// Changing and deleting one's own texts. A change names the version that it changes, read just before, so that nothing is overwritten unseen.
import { api, Stale } from '../api/api';
import type { PostChange } from '../api/generated';
import { problemText } from '../api/problem_text';
import { t } from '../i18n/i18n';
import { comments, keepComments, keepPosts, posts } from '../store/entities';
import { confirmed } from './dialog';
import { toast } from './toast';

export async function saveComment(comment: string, body: string): Promise<void> {
  const shown = comments.get(comment)?.edited_at;
  const now = await api.readComment({ comment });
  if (now.data.edited_at !== shown) {
    keepComments([now.data]);
    throw new Stale();
  }
  const { data } = await api.changeComment({ comment, body: { body }, ifMatch: now.etag ?? '*' });
  keepComments([data]);
  toast(t('saved'));
}

export async function savePost(post: string, change: PostChange): Promise<void> {
  const shown = posts.get(post)?.edited_at;
  const now = await api.readPost({ post });
  if (now.data.edited_at !== shown) {
    keepPosts([now.data]);
    throw new Stale();
  }
  const { data } = await api.changePost({ post, body: change, ifMatch: now.etag ?? '*' });
  keepPosts([data]);
  toast(t('saved'));
}

export async function deleteComment(comment: string): Promise<void> {
  if (!(await confirmed(t('delete_answer_title'), t('delete_help'), t('delete')))) return;
  try {
    await api.deleteComment({ comment });
    const known = comments.get(comment);
    if (known) comments.set(comment, { ...known, body: '', deleted_at: new Date().toISOString() });
    toast(t('deleted_done'));
  } catch (error) {
    toast(problemText(error));
  }
}

export async function deletePost(post: string): Promise<boolean> {
  if (!(await confirmed(t('delete_post_title'), t('delete_help'), t('delete')))) return false;
  try {
    await api.deletePost({ post });
    const known = posts.get(post);
    if (known) posts.set(post, { ...known, title: '', body: '', deleted_at: new Date().toISOString() });
    toast(t('deleted_done'));
    return true;
  } catch (error) {
    toast(problemText(error));
    return false;
  }
}
